"""What is simulated: releases of one folder's workloads, by versions that behave well or badly. Read strictly from a short story."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.kernel.errors import Terminal
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.kernel.unusable import reason_of
from reconciler_sandbox.node.behaviour import Behaviour

NEVER = 10_000_000.0
TAG = "simulated"
VERSIONS: Mapping[str, Behaviour] = {
    "good": Behaviour(TAG),
    "errors": Behaviour(TAG, error_rate=0.5),
    "flawed": Behaviour(TAG, error_rate=0.001),
    "worse": Behaviour(TAG, error_rate=0.01),
    "hang": Behaviour(TAG, hang=True),
    "crash": Behaviour(TAG, crash=True),
    "slow-start": Behaviour(TAG, ready_after=60.0),
    "never-ready": Behaviour(TAG, ready_after=NEVER),
    "slow": Behaviour(TAG, latency=5.0),
}
"""How a version behaves, by its name in a story."""
VERDICTS = ("passed", "failed", "not enough evidence", "could not measure", "aborted", "any", "not passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One release of each chosen workload; `workload` empty chooses all of them. `before` is how the versions behave that serve."""

    version: str
    before: str = "good"
    workload: str = ""
    users: float = 20.0
    verdict: str = "any"
    promote_after: timedelta = timedelta(minutes=1)
    """How long a pause without an end lasts until a person promotes."""
    within: timedelta = timedelta(hours=24)


DEFAULTS = (Script(version="good", verdict="passed"), Script(version="errors", verdict="not passed"))


def load_scripts(path: Path) -> Sequence[Script]:
    """The releases of a story's file. Raises Terminal: file, field and what to do."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; name a story, see docs/simulate.md") from error
    except yaml.YAMLError as error:
        raise Terminal(f"{path}: not YAML: {getattr(error, 'problem', None) or error}") from error
    try:
        return parse_scripts(document)
    except FieldError as error:
        raise Terminal(f"{path}: {error}") from error


def parse_scripts(document: Any) -> Sequence[Script]:
    """The releases of a story. Raises FieldError."""
    fields = StrictFields(document)
    releases = fields.raw("releases")
    fields.done()
    if not isinstance(releases, list) or not releases:
        raise FieldError("releases", "expected a list of releases, such as [{version: good}]")
    return [_script(StrictFields(found, f"releases[{place}]")) for place, found in enumerate(releases)]


def _script(fields: StrictFields) -> Script:
    script = Script(
        version=fields.text("version"),
        before=fields.text("before", "good"),
        workload=fields.text("workload", ""),
        users=float(fields.whole("users", 20)),
        verdict=fields.text("verdict", "any"),
        promote_after=fields.span("promoteAfter", "1m"),
        within=fields.span("within", "24h"),
    )
    fields.done()
    words = (
        ("version", script.version, tuple(VERSIONS)),
        ("before", script.before, tuple(VERSIONS)),
        ("verdict", script.verdict, VERDICTS),
    )
    for name, value, known in words:
        if value not in known:
            raise FieldError(fields.path(name), f"there is no {value!r}; write one of {', '.join(known)}")
    return script
