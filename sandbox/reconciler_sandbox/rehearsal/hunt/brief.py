"""Brief tales: one push and one to three things that meet it, in a world that many of them share until then. Plain data. Pure.

The tales of a chapter have the same strategy, analysis, policy and shape: they cost the installation, and the release until something meets
it, once for all of those with the same push.
"""

import random
from collections.abc import Sequence

from reconciler_sandbox.rehearsal.hunt.tale import (
    ANALYSES,
    FORMS,
    LATER_WEIGHTS,
    POLICIES,
    STRATEGIES,
    WEIGHTS,
    Deed,
    Happening,
    Tale,
    happening_by,
)

CHAPTER = 50
"""Seeds that share an installation."""
SPAN = 75.0
"""Seconds in which its deeds happen."""
LASTING = (5, 20, 40)
SILENT = {**WEIGHTS, Deed.FREEZE: LATER_WEIGHTS[Deed.FREEZE]}
TOLD = {**SILENT, Deed.FORGE_ILL: 9, Deed.INBOX_ILL: 9}
"""Few chapters have a forge and an inbox: in those they are ill more often."""


def brief_of(seed: int) -> Tale:
    """The brief tale of a seed: always the same. Twenty chapters have every strategy with every analysis."""
    chapter, dice = seed // CHAPTER, random.Random(f"brief {seed}")
    shared = random.Random(f"chapter {chapter}")
    strategy = STRATEGIES[chapter % len(STRATEGIES)]
    analysis = ANALYSES[chapter // len(STRATEGIES) % len(ANALYSES)]
    routed = strategy in ("canary-istio", "canary-subsets")
    policy = {name: value for name, values in POLICIES if (value := shared.choice(values))}
    told = shared.random() < 0.3
    others = [happening_by(dice, TOLD if told else SILENT, SPAN, LASTING) for _ in range(dice.choice((1, 1, 2, 2, 3)))]
    return Tale(
        seed=seed,
        strategy=strategy,
        analysis=analysis,
        borrowed=shared.random() < 0.2,
        dynamic=routed and analysis != "after" and shared.random() < 0.25,
        policy=policy,
        told=told,
        happenings=(Happening(0.0, Deed.PUSH, dice.choice(FORMS[Deed.PUSH])), *sorted(others, key=lambda one: one.at)),
        brief=True,
        stage=chapter,
    )


def alike(tales: Sequence[Tale]) -> list[list[Tale]]:
    """Brief tales, together with those that go as they do until their second happening."""
    found: dict[tuple[int | None, str], list[Tale]] = {}
    for tale in tales:
        found.setdefault((tale.stage, str(tale.happenings[0])), []).append(tale)
    return list(found.values())
