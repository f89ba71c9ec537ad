"""What the pod template of an object may become now, and which release it carries: `releases.gate` asked for one object of a tip."""

from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.kernel.resources import ROLLOUTS
from reconciler.releases.opening.gate import TemplateDecision, Wanted, decide_template
from reconciler.releases.override import in_force, overridden
from reconciler.rollouts.view import view_of
from reconciler.sync.facts import GateFacts


@dataclass(frozen=True, slots=True)
class OverrideEnd:
    """An override of a Rollout that Git has overtaken: it asks for another identity by now."""

    rollout: ObjectRef
    identity: str


def template_decision(gate: GateFacts, now: datetime, *, holds_template: bool, lives: bool) -> tuple[TemplateDecision, OverrideEnd | None]:
    """What is decided for one object of a workload, and the person's override that ends with its write.

    A Rollout that borrows its template carries the release, and so does who lends it: one may be written without the other.
    """
    wanted = Wanted(
        identity=gate.identity,
        images=gate.images,
        history=gate.history,
        live=view_of(gate.rollout) if gate.rollout is not None else None,
        awaited=gate.first if lives else None,
        elsewhere=gate.elsewhere,
    )
    decision = decide_template(wanted, now)
    if not holds_template:
        return replace(decision, keep=False, reason="", instead={}, config_mark=None), None
    return decision, _override_end(gate.rollout, gate.identity)


def _override_end(rollout: Manifest | None, identity: str) -> OverrideEnd | None:
    if rollout is None or not overridden(rollout) or in_force(rollout, identity):
        return None
    return OverrideEnd(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), identity)
