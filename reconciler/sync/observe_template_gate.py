"""The template gate: what the pod template of an object may become now, and which release it carries: the facts behind `releases.gate`."""

from dataclasses import dataclass, replace

from reconciler.kernel.clock import Clock
from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.kernel.resources import ROLLOUTS
from reconciler.releases.apply_opener import ReleaseOpener
from reconciler.releases.gate import TemplateDecision, Wanted, decide_template
from reconciler.releases.identity import identity_hash
from reconciler.releases.override import in_force, overridden
from reconciler.rollouts.view import view_of
from reconciler.sources.documents import Located
from reconciler.sources.images import container_images
from reconciler.sources.source_port import Tip
from reconciler.sources.templates import workload_of


@dataclass(frozen=True, slots=True)
class OverrideEnd:
    """An override of a Rollout that Git has overtaken: it asks for another identity by now."""

    rollout: ObjectRef
    identity: str


class TemplateGate:
    """Reads holds and windows off the Release objects."""

    def __init__(self, opener: ReleaseOpener, clock: Clock) -> None:
        self._opener = opener
        self._clock = clock

    def template(self, tip: Tip, located: Located, live: Manifest | None) -> tuple[TemplateDecision, OverrideEnd | None]:
        """What is decided for one object of a tip, and the person's override that ends with its write.

        Objects without a released template pass as they are. A Rollout that borrows its template carries the release, and so does who lends
        it: one may be written without the other.
        """
        workload = workload_of(tip.parsed, located)
        if workload is None:
            return TemplateDecision(), None
        history = self._opener.history(workload.template.key[1], workload.id.name)
        identity = identity_hash(tip.parsed, workload)
        rollout = live if live is not None and live["kind"] == "Rollout" else self._opener.rollout(workload)
        wanted = Wanted(
            identity=identity,
            images={container: text for container, _, text in container_images(workload.template.manifest)},
            history=history,
            live=view_of(rollout) if rollout is not None else None,
            awaited=self._opener.awaited(workload, identity, history) if live is not None else None,
        )
        decision = decide_template(wanted, self._clock.now())
        if located.key != workload.template.key:
            return replace(decision, keep=False, reason="", instead={}), None
        return decision, _override_end(rollout, identity)


def _override_end(rollout: Manifest | None, identity: str) -> OverrideEnd | None:
    if rollout is None or not overridden(rollout) or in_force(rollout, identity):
        return None
    return OverrideEnd(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), identity)
