"""What a write asks for beside its body: field manager, dry run, field validation, and the options of a deletion."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from reconciler_sandbox.apiserver.failures import Failure, bad_request

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"
MAX_MANAGER = 128
KINDS: Mapping[str, str] = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
DELETE_OPTIONS = "DeleteOptions"


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
    def parse(cls, query: Mapping[str, str], user_agent: str, method: str = "PATCH") -> "WriteOptions":
        """The options in a query. Raises Failure 422 for values that do not exist."""
        kind = KINDS.get(method, "PatchOptions")
        validation = query.get("fieldValidation") or "Warn"
        if validation not in ("Strict", "Warn", "Ignore"):
            text = f'Unsupported value: "{validation}": supported values: "", "Ignore", "Strict", "Warn"'
            raise _invalid(kind, "fieldValidation", text, "NotSupported")
        named = query.get("fieldManager") or ""
        manager = named or user_agent.partition("/")[0]
        dry = dry_run(query.get("dryRun"), kind)
        return cls(manager[:MAX_MANAGER], dry, validation, _truth(query.get("force")), bool(named))

    def of_patch(self, *, applies: bool) -> "WriteOptions":
        """The options as those of a patch. Raises Failure 422 for a patch that asks for what only an apply can do."""
        if self.force and not applies:
            raise _invalid("PatchOptions", "force", "Forbidden: may not be specified for non-apply patch", "Forbidden")
        return replace(self, applies=applies, patches=True)


def dry_run(value: Any, kind: str) -> bool:
    """Whether nothing may be stored; the only value is All."""
    values = value if isinstance(value, list) else [value] if value else []
    if any(one != "All" for one in values):
        text = f'Unsupported value: {orjson.dumps(values, default=str).decode()}: supported values: "All"'
        raise _invalid(kind, "dryRun", text, "NotSupported")
    return bool(values)


def _invalid(kind: str, field: str, text: str, reason: str) -> Failure:
    cause = {"reason": f"FieldValue{reason}", "message": text, "field": field}
    details = {"group": "meta.k8s.io", "kind": kind, "causes": [cause]}
    return Failure(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {field}: {text}', details)


@dataclass(frozen=True, slots=True)
class Deletion:
    """How to delete: what becomes of dependents (empty: what the kind does), seconds of grace (None: the object's own), preconditions."""

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
            dry_run(body.get("dryRun") or query.get("dryRun"), DELETE_OPTIONS),
        )


def _propagation(query: Mapping[str, str], body: Mapping[str, Any]) -> str:
    policy = body.get("propagationPolicy") or query.get("propagationPolicy")
    orphan = body.get("orphanDependents", query.get("orphanDependents"))
    if policy and orphan is not None:
        text = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise _invalid(DELETE_OPTIONS, "propagationPolicy", text, "Invalid")
    if orphan is not None:
        return ORPHAN if str(orphan).lower() in ("true", "1") else BACKGROUND
    if policy not in (None, "", BACKGROUND, FOREGROUND, ORPHAN):
        text = f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        raise _invalid(DELETE_OPTIONS, "propagationPolicy", text, "NotSupported")
    return str(policy or "")


def _grace(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return max(int(value), 0)
    except (TypeError, ValueError) as error:
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax') from error
