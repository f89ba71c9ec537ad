"""A Rollout that does not have the shape of one costs itself alone: a list goes on, and a command about it says so in words."""

from contextlib import suppress

import pytest

from reconciler.app.cli.family import readable
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.views.rollouts import row_of, status_of
from reconciler.views.track import track_of
from reconciler.views.tree import Family, facts, tree
from reconciler.views.why.explain import Situation, explain
from tests.kit.mutated import FULL
from tests.kit.places import places, put
from tests.kit.releases import NOW

WRONG = (None, True, -1, "x", [None], {"a": None})
SEEN = {
    "observedGeneration": "1",
    "currentPodHash": "new",
    "stableRS": "old",
    "phase": "Paused",
    "message": "CanaryPauseStep",
    "currentStepIndex": 3,
    "replicas": 4,
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-25T03:00:00Z"}],
    "conditions": [{"type": "Progressing", "status": "Unknown", "reason": "RolloutPaused", "message": "Rollout is paused"}],
    "canary": {"weights": {"canary": {"weight": 20, "podTemplateHash": "new"}, "stable": {"weight": 80, "podTemplateHash": "old"}}},
    "blueGreen": {},
}
LIVE: Manifest = {**FULL, "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 1}, "status": SEEN}


@pytest.mark.parametrize("part", ["spec", "status"])
def test_whatever_is_wrong_wherever_is_said_and_stops_nothing_else(part: str) -> None:
    unreadable = 0
    for at in places(LIVE[part]):
        for wrong in WRONG:
            live = {**LIVE, part: put(LIVE[part], at, wrong)}
            row = row_of(live, ())
            unreadable += row.status == "Unreadable"
            assert (row.namespace, row.name) == ("shop", "web")
            with suppress(Terminal), readable(live):
                family = Family(live, (), (), ())
                facts(family)
                tree(family)
                track_of(family)
                status_of(live, None, ())
                explain(Situation(family=family, release=None, now=NOW))
    assert unreadable > 0


def test_the_words_name_the_rollout_and_what_to_do() -> None:
    with (
        pytest.raises(Terminal, match=r"^shop/web: its Rollout cannot be read \(ValueError: .*\): compare it with what Git asks for$"),
        readable(LIVE),
    ):
        raise ValueError("no number")
