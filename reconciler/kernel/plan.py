"""What to do next, as data: the actions that `runtime.apply` carries out, and when to look again.

Every action can be repeated: creating what exists, removing what is gone and patching to the value in force are all success.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.kernel.identity import Manifest, ObjectRef, Resource


class PatchStyle(StrEnum):
    """The media type of a PATCH (Kubernetes API concepts, "Patch")."""

    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    JSON = "application/json-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Create:
    """POST the manifest. AlreadyExists means: observe again, uncached."""

    resource: Resource
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Replace:
    """PUT the manifest, which carries the resourceVersion it was derived from; a conflict means: observe again."""

    resource: Resource
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Patch:
    """PATCH one object; `subresource` is "" or "status" or "scale", `query` what the style needs (`force`)."""

    ref: ObjectRef
    body: Manifest | list[Manifest]
    style: PatchStyle = PatchStyle.MERGE
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remove:
    """DELETE one object, only if its uid still is `uid` (when given)."""

    ref: ObjectRef
    uid: str = ""
    propagation: str = "Background"


@dataclass(frozen=True, slots=True)
class Evict:
    """Ask the eviction API to remove one pod; a refusal by a disruption budget (429) is an answer, not an error."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class Emit:
    """Record a Kubernetes Event about an object: one per decision, in words an operator uses. Posted some time soon, beside the passes."""

    about: Manifest
    reason: str
    message: str
    warning: bool = False


Action = Create | Replace | Patch | Remove | Evict | Emit


@dataclass(frozen=True, slots=True)
class Plan:
    """The effects of one pass in order, the status write last, and the time of the next look."""

    actions: tuple[Action, ...] = ()
    status: Patch | None = None
    wake_at: datetime | None = None
