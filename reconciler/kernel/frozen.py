"""What a person froze, as it stands in annotations of the daemon's own namespace (ADR 0021): which half, who, since when."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, annotations_of, name_of

FREEZE = "reconciler.dev/freeze"
FROZEN_BY = "reconciler.dev/frozen-by"
"""By scope: who froze it and when. Only told to people: the word in FREEZE alone decides."""
SCOPES = ("cluster", "git")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Frozen:
    """One half that is frozen; `by` and `since` are empty when it was marked by hand."""

    scope: str
    namespace: str
    by: str = ""
    since: str = ""


def scopes_of(word: str) -> frozenset[str]:
    """The halves that a word of the annotation freezes. One that we do not know still means: stop everything."""
    if not word:
        return frozenset()
    return frozenset({word} if word in SCOPES else SCOPES)


def word_of(scopes: Iterable[str]) -> str | None:
    """The word for these halves; None for none, which takes the annotation away."""
    chosen = sorted(set(scopes))
    return None if not chosen else chosen[0] if len(chosen) == 1 else ALL


def frozen_in(namespace: Manifest | None) -> tuple[Frozen, ...]:
    """What is frozen by the annotations of one Namespace."""
    if namespace is None:
        return ()
    annotations, name = annotations_of(namespace), name_of(namespace)
    told = _told(annotations.get(FROZEN_BY, ""))
    return tuple(Frozen(scope, name, *told.get(scope, ("", ""))) for scope in sorted(scopes_of(annotations.get(FREEZE, ""))))


def render_told(frozen: Iterable[Frozen]) -> str | None:
    """The annotation that says who froze what, and since when; None when nothing is frozen."""
    told = {part.scope: {"by": part.by, "since": part.since} for part in frozen}
    return json.dumps(told, sort_keys=True) if told else None


def _told(text: str) -> Mapping[str, tuple[str, str]]:
    """What was told of each half; nothing where a person has broken the text."""
    try:
        decoded: Any = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    parts = decoded.items() if isinstance(decoded, dict) else ()
    return {scope: (str(part.get("by") or ""), str(part.get("since") or "")) for scope, part in parts if isinstance(part, dict)}
