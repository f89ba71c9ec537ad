"""What a list of the cluster is asked for, and what was answered: with its time, and with what is wrong with it since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.kernel.identity import Manifest, Resource


class TroubleKind(StrEnum):
    """Why a list is not what the cluster holds now."""

    AWAY = "away"
    FORBIDDEN = "forbidden"
    NOT_SERVED = "not served"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stands between us and a list, in the words of the server."""

    kind: TroubleKind
    words: str


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """One list: of a resource, in a namespace or in all of them. With a name, only that object."""

    resource: Resource
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ListReading:
    """What was answered last, when, and what is wrong with it since."""

    question: ListQuestion
    items: Sequence[Manifest] = ()
    at: datetime | None = None
    """When the items were read; None when they never were."""
    trouble: Trouble | None = None
    watched: bool = False
    """It is watched: what changes is known as it happens, without asking again."""

    @property
    def old(self) -> bool:
        """True when these items are the last known ones, because the server does not answer now."""
        return self.at is not None and self.trouble is not None and self.trouble.kind is TroubleKind.AWAY

    @property
    def settled(self) -> bool:
        """True when asking again and again would tell nothing sooner: it is watched, or there is nothing for us."""
        return self.watched or (self.trouble is not None and self.trouble.kind is not TroubleKind.AWAY)
