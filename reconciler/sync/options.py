"""What Argo CD's annotations ask for one object: what is obeyed, what holds here by itself, and all others, to be said."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.sources.documents import Parsed
from reconciler.sources.drift import unread
from reconciler.sources.hooks import hook_of
from reconciler.sources.kinds import kind_key
from reconciler.sources.permission import described
from reconciler.sync.order import WAVE, wave_asked

OPTIONS = "argocd.argoproj.io/sync-options"
COMPARE = "argocd.argoproj.io/compare-options"
BACKGROUND = "Background"
IRREPLACEABLE = {"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume", "Rollout"}
"""What takes other objects, data or users along when it goes: it is never removed to be made anew."""
BY_THEMSELVES = {
    "ApplyOutOfSyncOnly=true",
    "Delete=confirm",
    "Delete=false",
    "Delete=true",
    "Force=false",
    "Prune=true",
    "PruneLast=true",
    "Replace=false",
    "ServerSideApply=true",
    "SkipDryRunOnMissingResource=false",
    "SkipDryRunOnMissingResource=true",
    "Validate=false",
    "Validate=true",
}
"""Nothing is deleted with its source, everything is applied by the server, which validates it, and removals come last."""
COMPARED = {"IgnoreExtraneous", "IgnoreExtraneous=true"}
ELSEWHERE = {"CreateNamespace": "it is an option of an Argo CD Application: add the Namespace to the folder"}


class Pruning(StrEnum):
    """What may become of an object that left Git."""

    REMOVED = "removed"
    KEPT = "kept"
    ASKED = "asked"
    """A person is asked first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How one object is written and removed."""

    pruning: Pruning = Pruning.REMOVED
    replaced: bool = False
    """True when it is written whole, so that what others have set goes."""
    forced: bool = False
    """True when it may be removed and made anew where the server refuses the change."""
    propagation: str = BACKGROUND


PRUNING = {"Prune=false": Pruning.KEPT, "Prune=confirm": Pruning.ASKED}
PROPAGATION = {f"PrunePropagationPolicy={word.lower()}": word for word in ("Foreground", "Background", "Orphan")}
OBEYED = {*PRUNING, *PROPAGATION, "Replace=true", "Force=true"}


def options_of(manifest: Manifest) -> SyncOptions:
    """The options of one object; of two that contradict each other the later one counts."""
    said = _words(manifest, OPTIONS)
    if not said:
        return SyncOptions()
    replaceable = kind_key(manifest) not in IRREPLACEABLE
    return SyncOptions(
        pruning=next((PRUNING.get(word, Pruning.REMOVED) for word in reversed(said) if word.startswith("Prune=")), Pruning.REMOVED),
        replaced="Replace=true" in said and replaceable,
        forced="Force=true" in said and replaceable,
        propagation=next((PROPAGATION[word] for word in reversed(said) if word in PROPAGATION), BACKGROUND),
    )


def option_notes(parsed: Parsed) -> tuple[str, ...]:
    """What Argo CD would do and is not done here, each thing once, with the first object that asks for it."""
    if "option notes" not in parsed.derived:
        found: dict[str, list[str]] = {}
        for located in parsed.manifests:
            for words in _unserved(located.manifest):
                found.setdefault(words, []).append(described(located.manifest))
        for located in parsed.hooks:
            for words in (*hook_of(located.manifest).unserved, *_unserved(located.manifest)):
                found.setdefault(words, []).append(described(located.manifest))
        parsed.derived["option notes"] = tuple(_note(words, objects) for words, objects in sorted(found.items()))
    notes: tuple[str, ...] = parsed.derived["option notes"]
    return notes


def _note(words: str, objects: list[str]) -> str:
    more = f" and {len(objects) - 1} more" if len(objects) > 1 else ""
    return f"{objects[0]}{more}: {words}"


def _unserved(manifest: Manifest) -> Iterator[str]:
    """What one manifest asks for in vain."""
    if wave_asked(manifest) is None:
        yield f"{WAVE} {str(annotations_of(manifest).get(WAVE))!r} is no whole number: it is taken for 0"
    kind = kind_key(manifest)
    for word in _words(manifest, OPTIONS):
        if word in ("Replace=true", "Force=true") and kind in IRREPLACEABLE:
            yield f"sync option {word} is not obeyed for a {kind}: too much would go with it"
        elif word not in OBEYED and word not in BY_THEMSELVES:
            yield f"sync option {word} means nothing here{_instead(word)}"
    yield from unread(manifest)
    for word in _words(manifest, COMPARE):
        if word not in COMPARED:
            yield f"compare option {word} means nothing here"


def _instead(word: str) -> str:
    words = ELSEWHERE.get(word.partition("=")[0])
    return f"; {words}" if words else ""


def _words(manifest: Manifest, annotation: str) -> tuple[str, ...]:
    text = annotations_of(manifest).get(annotation)
    return tuple(_trimmed(str(text).split(","))) if text else ()


def _trimmed(words: Iterable[str]) -> Iterator[str]:
    return (word.strip() for word in words if word.strip())
