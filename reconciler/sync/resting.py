"""When a pass need not think: what it sees is what the last one saw that found nothing to do, and no moment has come that it waited for.

What could matter and is no version of an object (windows, hooks on their way, failures, autoscalers that were asked for, objects brought
back lately) keeps a source from resting at all; and it never rests for long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.identity import Manifest
from reconciler.sources.documents import Parsed
from reconciler.sources.inventory import Place
from reconciler.sources.settings import SourceSettings
from reconciler.sync.facts import SourceFacts
from reconciler.sync.plan import SourcePlan


@dataclass(frozen=True, slots=True)
class Sight:
    """What a pass saw before it thought: everything by its version."""

    settings: SourceSettings
    tip: int
    """The tip itself: a tip never changes."""
    record: str
    """The version of the inventory, a person's marks on it included."""
    watched: tuple[object, ...]
    """How often what is watched has changed, and the policies beside the daemon."""
    live: Mapping[Place, str]
    unread: frozenset[object]
    served: frozenset[object]


@dataclass(frozen=True, slots=True)
class Resting:
    """A pass that had nothing to do, and until when the same sight means the same."""

    sight: Sight
    parsed: Parsed
    """The tip that it was about, kept so that no other one is taken for it."""
    until: datetime


def sight_of(facts: SourceFacts, stored: Manifest | None, watched: tuple[object, ...]) -> Sight:
    """What these facts are, by their versions."""
    return Sight(
        settings=facts.settings,
        tip=id(facts.tip.parsed),
        record=_version(stored) if stored is not None else "",
        watched=watched,
        live={place: _version(manifest) for place, manifest in facts.live.items()},
        unread=frozenset(facts.unread.items()),
        served=frozenset(facts.resources.items()),
    )


def at_rest(thought: SourcePlan, facts: SourceFacts) -> bool:
    """True when nothing was done, nothing is on its way, and nothing but versions and the plan's own moments decides what comes next."""
    doing = thought.steps or thought.hooks or thought.override_ends or thought.hand_backs or thought.gone or facts.failures
    waiting = thought.wave is not None or thought.run is not None or facts.settings.windows or thought.healings
    asked = facts.autoscalers or thought.questions or facts.unopened
    return not (doing or waiting or asked)


def _version(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))
