"""A tale: one workload, and what people, bots and misfortunes do to it at which moment. Made from a seed alone, and plain data. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

STRATEGIES = ("canary-istio", "canary-subsets", "canary-basic", "blue-green", "blue-green-manual")
ANALYSES = ("background", "step", "after", "none")
VERSIONS = ("good", "errors", "crash", "never-ready", "hang", "slow-start", "unpullable")
SPAN = 420.0
"""Seconds in which the tale's deeds happen; after them everything is mended, and what is under way goes on to its end."""


class Deed(StrEnum):
    """What can be done."""

    PUSH = "push"
    PUSH_AGAIN = "push again"
    PUSH_BACK = "push back"
    ANNOTATE = "annotate"
    CONFIGURE = "configure"
    REWRITE = "rewrite"
    RACE = "race"
    MOVE_FILE = "move file"
    BREAK_YAML = "break yaml"
    REMOVE_FILE = "remove file"
    REPLICAS = "replicas"
    RESHAPE = "reshape"
    POLICY = "policy"
    MERGE = "merge"
    ABORT = "abort"
    RETRY = "retry"
    PROMOTE = "promote"
    PROMOTE_FULL = "promote full"
    UNDO = "undo"
    SET_IMAGE = "set image"
    RESTART = "restart"
    LIFT = "lift"
    HOLD = "hold"
    ACCEPT = "accept"
    SUSPEND = "suspend"
    DELETE = "delete"
    EDIT = "edit"
    APPLY = "apply"
    LOSE_NODE = "lose node"
    STORM = "storm"
    DEAF = "deaf"
    ILL = "ill"
    GIT_AWAY = "git away"
    GIT_SILENT = "git silent"
    CLOCK = "clock"
    CRASH = "crash"
    DEPOSED = "deposed"


@dataclass(frozen=True, slots=True)
class Happening:
    """One deed at one moment; `what` chooses among its forms, `lasting` is how long a misfortune stays."""

    at: float
    deed: Deed
    what: str = ""
    lasting: float = 0.0

    def __str__(self) -> str:
        what = f" {self.what}" if self.what else ""
        lasting = f" for {self.lasting:.0f} s" if self.lasting else ""
        return f"{self.at:6.1f}  {self.deed}{what}{lasting}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """What is played. `policy` are the words of its ReleasePolicy that are not the defaults."""

    seed: int
    strategy: str
    analysis: str
    borrowed: bool
    """True when the template lives in a Deployment beside the Rollout."""
    dynamic: bool
    policy: Mapping[str, str]
    happenings: Sequence[Happening]

    def only(self, chosen: Sequence[int]) -> "Tale":
        """The same tale with some of its happenings, by their place."""
        kept = tuple(self.happenings[place] for place in chosen)
        return Tale(
            seed=self.seed,
            strategy=self.strategy,
            analysis=self.analysis,
            borrowed=self.borrowed,
            dynamic=self.dynamic,
            policy=self.policy,
            happenings=kept,
        )

    def __str__(self) -> str:
        policy = ", ".join(f"{name}: {value}" for name, value in self.policy.items()) or "defaults"
        shape = ", ".join(word for word, holds in (("borrowed template", self.borrowed), ("dynamic stable scale", self.dynamic)) if holds)
        head = f"seed {self.seed}: {self.strategy}, analysis: {self.analysis}{', ' + shape if shape else ''}; policy {policy}"
        return "\n".join((head, *(f"  {place:>2} {one}" for place, one in enumerate(self.happenings))))


WEIGHTS: Mapping[Deed, int] = {
    Deed.PUSH: 10,
    Deed.PUSH_AGAIN: 6,
    Deed.PUSH_BACK: 4,
    Deed.ANNOTATE: 3,
    Deed.CONFIGURE: 3,
    Deed.REWRITE: 3,
    Deed.RACE: 3,
    Deed.MOVE_FILE: 2,
    Deed.BREAK_YAML: 3,
    Deed.REMOVE_FILE: 1,
    Deed.REPLICAS: 2,
    Deed.RESHAPE: 2,
    Deed.POLICY: 3,
    Deed.MERGE: 4,
    Deed.ABORT: 5,
    Deed.RETRY: 5,
    Deed.PROMOTE: 4,
    Deed.PROMOTE_FULL: 4,
    Deed.UNDO: 3,
    Deed.SET_IMAGE: 2,
    Deed.RESTART: 2,
    Deed.LIFT: 5,
    Deed.HOLD: 2,
    Deed.ACCEPT: 2,
    Deed.SUSPEND: 2,
    Deed.DELETE: 6,
    Deed.EDIT: 4,
    Deed.APPLY: 2,
    Deed.LOSE_NODE: 2,
    Deed.STORM: 4,
    Deed.DEAF: 3,
    Deed.ILL: 5,
    Deed.GIT_AWAY: 3,
    Deed.GIT_SILENT: 2,
    Deed.CLOCK: 2,
    Deed.CRASH: 6,
    Deed.DEPOSED: 3,
}
FORMS: Mapping[Deed, Sequence[str]] = {
    Deed.PUSH: ("good", "good", *VERSIONS, "errors"),
    Deed.POLICY: ("onFailure: propose", "onFailure: none", "onAbort: restore", "onAbort: none", "onStuck: wait"),
    Deed.SET_IMAGE: ("good", "errors"),
    Deed.DELETE: ("pod", "canary", "stable", "run", "release", "releases", "rollout", "route", "policy"),
    Deed.EDIT: ("weights", "selector", "replicas", "rollout replicas", "paused"),
    Deed.ILL: ("away", "broken", "silent", "empty", "nonsense", "stale"),
    Deed.CLOCK: ("10800", "-10800", "75", "-75"),
    Deed.CRASH: ("now", "now", "before push", "after push", "call"),
    Deed.RESHAPE: ("steps", "revisions"),
}
LASTING = frozenset(
    {Deed.STORM, Deed.DEAF, Deed.ILL, Deed.GIT_AWAY, Deed.CLOCK, Deed.CRASH, Deed.DEPOSED, Deed.BREAK_YAML, Deed.REMOVE_FILE, Deed.SUSPEND}
)
POLICIES: Sequence[tuple[str, Sequence[str]]] = (
    ("onFailure", ("", "", "", "propose", "none")),
    ("onAbort", ("", "", "restore", "none")),
    ("onNoEvidence", ("", "", "restore", "none")),
    ("keepRejected", ("", "", "0s", "2m")),
    ("minimumSample", ("", "", "", "2")),
    ("historyLimit", ("", "", "", "2")),
)


def tale_of(seed: int) -> Tale:
    """The tale of a seed: always the same."""
    dice = random.Random(seed)
    strategy = dice.choice(STRATEGIES)
    analysis = dice.choice(ANALYSES)
    routed = strategy in ("canary-istio", "canary-subsets")
    policy = {name: value for name, values in POLICIES if (value := dice.choice(values))}
    first = Happening(0.0, Deed.PUSH, dice.choice(FORMS[Deed.PUSH]))
    others = sorted((_happening(dice) for _ in range(dice.randint(2, 8))), key=lambda one: one.at)
    return Tale(
        seed=seed,
        strategy=strategy,
        analysis=analysis,
        borrowed=dice.random() < 0.2,
        dynamic=routed and analysis != "after" and dice.random() < 0.25,
        policy=policy,
        happenings=(first, *others),
    )


def _happening(dice: random.Random) -> Happening:
    deed = dice.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
    what = dice.choice(FORMS[deed]) if deed in FORMS else ""
    if what == "call":
        what = f"call {dice.randint(1, 60)}"
    lasting = float(dice.choice((5, 20, 60, 150))) if deed in LASTING else 0.0
    return Happening(round(dice.random() * SPAN, 1), deed, what, lasting)
