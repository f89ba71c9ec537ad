"""A freeze in words: what is not written, who said so and since when, and how it goes on. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.kernel.frozen import Frozen

OWN_NAMESPACE = "reconciler"
WITHHELD: Mapping[str, str] = {"cluster": "nothing is written to the cluster", "git": "nothing is pushed to Git"}


def freeze_sentence(frozen: Sequence[Frozen]) -> str:
    """`Frozen: nothing is pushed to Git (by ann since …)`; empty when nothing is frozen."""
    if not frozen:
        return ""
    return "Frozen: " + "; ".join(f"{WITHHELD[part.scope]}{_told(part)}" for part in frozen)


def freeze_line(frozen: Sequence[Frozen], flags: str) -> str:
    """The sentence with what a person types to let it go on; empty when nothing is frozen."""
    return f"{freeze_sentence(frozen)}; let it go on with: {unfreeze_command(frozen, flags)}" if frozen else ""


def unfreeze_command(frozen: Sequence[Frozen], flags: str) -> str:
    """What a person types to let all of it go on."""
    return f"reconciler unfreeze{_namespaces(frozen)}{flags}"


def _namespaces(frozen: Iterable[Frozen]) -> str:
    named = sorted({part.namespace for part in frozen})
    return "" if named == [OWN_NAMESPACE] else f" -n {named[0]}"


def _told(part: Frozen) -> str:
    who = " ".join(filter(None, (f"by {part.by}" if part.by else "", f"since {part.since}" if part.since else "")))
    return f" ({who})" if who else ""
