"""Reads `reconciler.yaml`: bounded, strictly, and with the line of what is wrong."""

import os
import re
from dataclasses import replace
from pathlib import Path

import yaml

from reconciler.app.settings.manifest import NAMESPACE, parse_settings
from reconciler.app.settings.model import Settings
from reconciler.kernel.errors import Terminal
from reconciler.kernel.strict import FieldError
from reconciler.kernel.unusable import reason_of

LIMIT = 1 << 20
PROMETHEUS_ADDRESS = "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"
"""The default address of Prometheus where the file names none: the variable that the reference reads."""
JOB_NAMESPACE, JOB_KUBECONFIG = "ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE", "ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG"
PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def load_settings(path: Path) -> Settings:
    """The settings of a file. Raises Terminal: file, line, field and what to do."""
    try:
        if path.stat().st_size > LIMIT:
            raise Terminal(f"{path}: larger than 1 MiB: this is not a settings file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        todo = "name a settings file with -c FILE, see docs/configuration.md"
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; {todo}") from error
    settings = settings_of(text, str(path))
    if os.environ.get(JOB_KUBECONFIG):
        raise Terminal(f"{JOB_KUBECONFIG}: Jobs in another cluster are not supported; unset it, and name a namespace with jobNamespace")
    return replace(
        settings,
        prometheus=settings.prometheus or os.environ.get(PROMETHEUS_ADDRESS, ""),
        job_namespace=settings.job_namespace or _namespace_of_jobs(),
    )


def _namespace_of_jobs() -> str:
    named = os.environ.get(JOB_NAMESPACE, "")
    if named and not NAMESPACE.fullmatch(named):
        raise Terminal(f"{JOB_NAMESPACE}: {named!r} is not the name of a namespace")
    return named


def settings_of(text: str, name: str) -> Settings:
    """The settings of a text; `name` is what messages call it."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise Terminal(f"{name}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    try:
        return parse_settings(document)
    except FieldError as error:
        raise Terminal(f"{name}:{line_of(node, error.path)}: {error}") from error


def line_of(node: yaml.Node | None, path: str) -> int:
    """The line (from 1) of the deepest part of a dotted path that exists: of its key in a mapping, of itself in a list."""
    line = node.start_mark.line if node is not None else 0
    for key, index in PART.findall(path):
        place, node = _child(node, key, index)
        if place is None:
            break
        line = place.start_mark.line
    return int(line) + 1


def _child(node: yaml.Node | None, key: str, index: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Where a member stands, and the member; twice None when there is none."""
    if isinstance(node, yaml.MappingNode) and key:
        return next(((name, value) for name, value in node.value if name.value == key), (None, None))
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        return node.value[int(index)], node.value[int(index)]
    return None, None
