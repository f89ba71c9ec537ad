"""A preview in words: for the pull request, the command line, `explain` and the console. Pure."""

from reconciler.kernel.moment import render_moment
from reconciler.releases.preview.record import PreviewRecord, Propagation


def preview_lines(known: PreviewRecord | None) -> list[str]:
    """How testers reach it, until when, and how far their header comes; one line once it is closed."""
    if known is None:
        return []
    name = ", ".join(known.names)
    if known.ended is not None:
        why = ": its time was over" if known.expired else ""
        return [f"{name} closed at {render_moment(known.ended)}{why}"]
    place = f", at {known.address}" if known.address else ""
    until = f", until {render_moment(known.until)} unless users are on it by then" if known.until is not None else ""
    return [f"{name}: {' or '.join(known.ways)}{place}{until}", *propagation_lines(known.propagation)]


def standing_words(known: PreviewRecord | None) -> str:
    """What the steps do not say of an open preview: its end, and its header's way; empty while there is nothing."""
    if known is None or known.ended is not None:
        return ""
    until = [f"closes at {render_moment(known.until)} unless users are on it by then"] if known.until is not None else []
    return "; ".join([*until, *propagation_lines(known.propagation)])


def came_lines(known: PreviewRecord | None) -> list[str]:
    """The same as lines; none while there is nothing to say."""
    said = standing_words(known)
    return [f"preview: {said}"] if said else []


def propagation_lines(found: Propagation | None) -> list[str]:
    """How far the header comes, as the last probe saw it."""
    if found is None:
        return []
    through = f"reaches {', '.join(found.reached)}" if found.reached else ""
    lost = f"{found.lost} does not receive it" if found.lost else ""
    said = " and ".join(filter(None, (through, lost)))
    problem = f"not probed further: {found.problem}" if found.problem else ""
    return (
        [f"the testers' header {said}" if said else "", problem]
        if said and problem
        else [f"the testers' header {said}" if said else problem]
    )
