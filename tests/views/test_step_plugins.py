"""At a plug-in step `explain` says what the plug-in said."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.views.step_plugins import UNHEARD, at_plugin_step
from reconciler.views.tree import Family
from tests.kit.rollouts import canary, pause, rollout
from tests.kit.stepplugins import NAME, plugin_step


def standing(index: int, *entries: Manifest) -> Family:
    manifest = rollout(canary=canary(pause(), plugin_step()))
    status: Manifest = {"currentStepIndex": index, "canary": {"stepPluginStatuses": list(entries)}}
    return Family(rollout={**manifest, "status": status}, replica_sets=(), pods=(), runs=())


RUN = {"index": 1, "name": NAME, "operation": "Run", "phase": "Running", "message": "half way", "executions": 2}


@pytest.mark.parametrize(("entries", "words"), [((), UNHEARD), ((RUN,), "Running, half way (asked 2 times)")])
def test_what_a_plugin_said_is_why_it_waits(entries: tuple[Manifest, ...], words: str) -> None:
    told = at_plugin_step(standing(1, *entries), "reconciler get rollout web")
    assert told is not None
    assert (told.sentence, told.next) == (f"It waits for plug-in {NAME} of step 2: {words}", "reconciler get rollout web --watch")


def test_at_another_step_it_says_nothing() -> None:
    assert at_plugin_step(standing(0, RUN), "") is None and at_plugin_step(standing(2, RUN), "") is None
