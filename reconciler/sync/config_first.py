"""Pods that are made because of new config find it: a template that brings config waits for what it reads (ADR 0039)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import suspended
from reconciler.releases.opening.config_mark import mark_of
from reconciler.sources.images import template_of
from reconciler.sources.permission import described
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from reconciler.sources.references import Named
from reconciler.sync.facts import SourceFacts
from reconciler.sync.wish import Wish


def config_first(facts: SourceFacts, wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """The wishes, where what brings config waits for it: kept back while it cannot be written, else not written should that fail."""
    known = {found.key: found for found in wishes}
    reading = {located.key: located.config for located in facts.tip.parsed.manifests if located.config}
    return tuple(_after_config(facts, found, known, reading.get(found.key, ())) for found in wishes)


def _after_config(facts: SourceFacts, found: Wish, known: Mapping[Named, Wish], config: Sequence[Named]) -> Wish:
    if not config or found.live is None or not any(_brings_config(write.patch.body, found.live) for write in found.writes):
        return found
    read = [known[key] for key in config if key in known]
    stuck = [one for one in read if one.problem is not None or one.waiting or (one.live is not None and suspended(one.live))]
    if stuck:
        return replace(found, writes=(), problem=found.problem or _waits(facts, found, stuck))
    needed = frozenset(write.place for one in read for write in one.writes)
    return replace(found, writes=tuple(replace(write, needs=needed) for write in found.writes))


def _brings_config(body: object, live: Manifest) -> bool:
    return isinstance(body, dict) and mark_of(template_of(body)) != mark_of(template_of(live))


def _waits(facts: SourceFacts, found: Wish, stuck: Sequence[Wish]) -> RecordedProblem:
    located = facts.tip.parsed.find(*found.key)
    assert located is not None, "it was wished for because it stands in Git"
    names = ", ".join(f"{one.key[0]} {one.key[2]}" for one in stuck)
    return RecordedProblem(
        reason=Reason.CONFIG_WAITS,
        file=located.file,
        line=located.line,
        object=described(located.manifest),
        message=f"its pod template waits: it reads {names}, which cannot be written as Git has it",
        remedy="mend that first: pods that are made now would read what lives there",
        mender=Mender.NOBODY,
        retried=True,
    )
