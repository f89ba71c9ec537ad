"""Reads `reconciler.yaml`: bounded, strictly, and with the line of what is wrong."""

import re
from pathlib import Path

import yaml

from reconciler.api.fields import FieldError
from reconciler.api.settings import parse_settings
from reconciler.model.errors import Terminal
from reconciler.model.settings import Settings

LIMIT = 1 << 20
PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def load_settings(path: Path) -> Settings:
    """The settings of a file. Raises Terminal: file, line, field and what to do."""
    try:
        if path.stat().st_size > LIMIT:
            raise Terminal(f"{path}: larger than 1 MiB: this is not a settings file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Terminal(f"{path}: cannot be read: {error}") from error
    return settings_of(text, str(path))


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
    """The line (from 1) of the deepest node along a dotted path that exists."""
    for key, index in PART.findall(path):
        child = _child(node, key, index)
        if child is None:
            break
        node = child
    return node.start_mark.line + 1 if node is not None else 1


def _child(node: yaml.Node | None, key: str, index: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode) and key:
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        return node.value[int(index)]  # type: ignore[no-any-return] # types-PyYAML leaves node values untyped
    return None
