"""A tale: one workload, and what people, bots and misfortunes do to it at which moment. Made from a seed alone, and plain data. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

STRATEGIES = ("canary-istio", "canary-subsets", "canary-basic", "blue-green", "blue-green-manual")
ANALYSES = ("background", "step", "after", "none")
VERSIONS = ("good", "errors", "crash", "never-ready", "hang", "slow-start", "unpullable")
SPAN = 420.0
"""Seconds in which the tale's deeds happen; after them everything is mended, and what is under way goes on to its end."""

TICK = 2.5
"""Seconds: a brief tale parts at a multiple of it from those that began as it did."""


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
    FREEZE = "freeze"
    FORGE_ILL = "forge ill"
    INBOX_ILL = "inbox ill"


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
    told: bool = False
    """True where people read pull requests on a forge, and the messages of a notifier."""
    happenings: Sequence[Happening]
    brief: bool = False
    """True for one of few pods, short steps and at most three happenings (`brief.py`)."""
    stage: int | None = None
    """The seed of the installed world, where several tales begin in the same one; None for one of its own."""

    @property
    def opens(self) -> bool:
        """True when its first happening is at its beginning."""
        return bool(self.happenings) and self.happenings[0].at == 0

    @property
    def parts_at(self) -> float:
        """Seconds until a brief tale has something of its own: until then it goes as others with the same first happening."""
        own = self.happenings[int(self.opens) :]
        return own[0].at - own[0].at % TICK if own else 0.0

    def only(self, chosen: Sequence[int]) -> "Tale":
        """The same tale with some of its happenings, by their place."""
        return replace(self, happenings=tuple(self.happenings[place] for place in chosen))

    def __str__(self) -> str:
        policy = ", ".join(f"{name}: {value}" for name, value in self.policy.items()) or "defaults"
        shapes = (("borrowed template", self.borrowed), ("dynamic stable scale", self.dynamic), ("told on a forge", self.told))
        shape = ", ".join(word for word, holds in shapes if holds)
        head = f"seed {self.seed}: {self.strategy}, analysis: {self.analysis}{', ' + shape if shape else ''}; policy {policy}"
        head = f"brief {head}" if self.brief else head
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
LATER_WEIGHTS: Mapping[Deed, int] = {Deed.FREEZE: 3, Deed.FORGE_ILL: 3, Deed.INBOX_ILL: 2}
"""Of deeds that have a dice of their own, so that a seed of old keeps the tale that it had."""
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
    Deed.FREEZE: ("all", "git", "cluster"),
    Deed.FORGE_ILL: ("away", "broken", "silent", "empty", "nonsense"),
    Deed.INBOX_ILL: ("away", "broken", "silent", "empty", "nonsense"),
}
LASTING = frozenset(
    {
        *(
            Deed.STORM,
            Deed.DEAF,
            Deed.ILL,
            Deed.GIT_AWAY,
            Deed.CLOCK,
            Deed.CRASH,
            Deed.DEPOSED,
            Deed.BREAK_YAML,
            Deed.REMOVE_FILE,
            Deed.SUSPEND,
        ),
        *(Deed.FREEZE, Deed.FORGE_ILL, Deed.INBOX_ILL),
    }
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
    others = [happening_by(dice, WEIGHTS) for _ in range(dice.randint(2, 8))]
    borrowed, dynamic = dice.random() < 0.2, routed and analysis != "after" and dice.random() < 0.25
    later = random.Random(f"later {seed}")
    told = later.random() < 0.5
    more = [happening_by(later, LATER_WEIGHTS) for _ in range(later.choice((0, 0, 1, 2)))]
    others += [one for one in more if told or one.deed not in (Deed.FORGE_ILL, Deed.INBOX_ILL)]
    return Tale(
        seed=seed,
        strategy=strategy,
        analysis=analysis,
        borrowed=borrowed,
        dynamic=dynamic,
        policy=policy,
        told=told,
        happenings=(first, *sorted(others, key=lambda one: one.at)),
    )


def happening_by(
    dice: random.Random, weights: Mapping[Deed, int], span: float = SPAN, lasting_seconds: Sequence[int] = (5, 20, 60, 150)
) -> Happening:
    """One that the dice choose within the span."""
    deed = dice.choices(tuple(weights), tuple(weights.values()))[0]
    what = dice.choice(FORMS[deed]) if deed in FORMS else ""
    if what == "call":
        what = f"call {dice.randint(1, 60)}"
    lasting = float(dice.choice(lasting_seconds)) if deed in LASTING else 0.0
    return Happening(round(dice.random() * span, 1), deed, what, lasting)
