"""What the plug-in of the current step said last, for who asks why a rollout stands there."""

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.views.tree import Family, canary_steps
from reconciler.views.why.explanation import Explanation

UNHEARD = "no answer yet; if it cannot be asked, the event ReconciliationError says why"


def at_plugin_step(family: Family, look: str) -> Explanation | None:
    """Why it stands at a plug-in step; None at any other. `look` is the command that shows the rollout."""
    status, steps = family.rollout.get("status") or {}, canary_steps(family.rollout)
    index = int(status.get("currentStepIndex") or 0)
    step = steps[index].get("plugin") if index < len(steps) else None
    if not isinstance(step, dict):
        return None
    said = _said(status, index)
    return Explanation(
        sentence=f"It waits for plug-in {step.get('name')} of step {index + 1}: {_words(said)}",
        rule=f"plugin: {step.get('name')}",
        value=str(said.get("phase") or ""),
        object=f"Rollout {namespace_of(family.rollout)}/{name_of(family.rollout)}",
        next=f"{look} --watch",
    )


def _said(status: Manifest, index: int) -> Manifest:
    entries = (status.get("canary") or {}).get("stepPluginStatuses") or []
    return next((entry for entry in entries if entry.get("index") == index and entry.get("operation") == "Run"), {})


def _words(said: Manifest) -> str:
    if not said:
        return UNHEARD
    told = f", {said['message']}" if said.get("message") else ""
    return f"{said.get('phase')}{told} (asked {said.get('executions', 0)} times)"
