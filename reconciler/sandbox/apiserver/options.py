"""What a write asks for beside its body: field manager, dry run, field validation, and the options of a deletion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.apiserver.failures import Failure, bad_request

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"


def _truth(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """`validation` is Strict, Warn or Ignore: what happens to fields that a schema does not know.

    `named` says whether the request names its manager, who else is told by the client's name; `applies` whether it is a server-side
    apply, which keeps managedFields itself; `patches` whether it is a patch of any kind.
    """

    manager: str = ""
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    named: bool = True
    applies: bool = False
    patches: bool = False

    @classmethod
    def parse(cls, query: Mapping[str, str], user_agent: str) -> "WriteOptions":
        """The options in a query. Raises Failure 422 for values that do not exist."""
        validation = query.get("fieldValidation") or "Warn"
        if validation not in ("Strict", "Warn", "Ignore"):
            raise _unsupported("fieldValidation", validation, '"", "Ignore", "Strict", "Warn"')
        named = query.get("fieldManager") or ""
        manager = named or user_agent.partition("/")[0]
        return cls(manager[:128], dry_run(query.get("dryRun")), validation, _truth(query.get("force")), bool(named))


def dry_run(value: Any) -> bool:
    """Whether nothing may be stored; the only value is All."""
    values = value if isinstance(value, list) else [value] if value else []
    if any(one != "All" for one in values):
        raise _unsupported("dryRun", str(values[0]), '"All"')
    return bool(values)


def _unsupported(field: str, value: str, allowed: str) -> Failure:
    message = f' "" is invalid: {field}: Unsupported value: "{value}": supported values: {allowed}'
    return Failure(422, "Invalid", message, {"causes": [{"reason": "FieldValueNotSupported", "message": message, "field": field}]})


@dataclass(frozen=True, slots=True)
class Deletion:
    """How to delete: what becomes of dependents, seconds of grace (None: the object's own), preconditions."""

    propagation: str = BACKGROUND
    grace: int | None = None
    uid: str = ""
    version: str = ""
    dry_run: bool = False

    @classmethod
    def parse(cls, query: Mapping[str, str], body: Mapping[str, Any]) -> "Deletion":
        """The options in a query and a DeleteOptions body; the body wins."""
        preconditions = body.get("preconditions") or {}
        return cls(
            _propagation(query, body),
            _grace(body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))),
            str(preconditions.get("uid") or ""),
            str(preconditions.get("resourceVersion") or ""),
            dry_run(body.get("dryRun") or query.get("dryRun")),
        )


def _propagation(query: Mapping[str, str], body: Mapping[str, Any]) -> str:
    policy = body.get("propagationPolicy") or query.get("propagationPolicy")
    if policy is None and str(body.get("orphanDependents", query.get("orphanDependents", ""))).lower() == "true":
        return ORPHAN
    if policy not in (None, "", BACKGROUND, FOREGROUND, ORPHAN):
        raise _unsupported("propagationPolicy", str(policy), '"Background", "Foreground", "Orphan"')
    return str(policy or BACKGROUND)


def _grace(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return max(int(value), 0)
    except (TypeError, ValueError) as error:
        raise bad_request(f"gracePeriodSeconds is a number of seconds, not {value!r}") from error
