"""What a rehearsal leaves behind: outcomes, timeline, weights, requests, measurements; frozen, for the page, the terminal and `--json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One expectation and what came of it; `seconds` is how long it took to hold, or how long it was waited for."""

    lane: str
    what: str
    expected: str
    observed: str
    held: bool
    seconds: float
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline, `at` seconds after the beginning. `kind` is title, step, say, note or outcome."""

    at: float
    lane: str
    kind: str
    text: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one route from this second on, by destination; `headers` names the header routes beside it."""

    at: float
    route: str
    shares: Mapping[str, int]
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requests:
    """How many untagged requests of one traffic each version answered in one second; failures are under ""."""

    at: float
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pods:
    """How many pods of one version (its pod hash) are available, and how many are wanted, from this second on."""

    at: float
    version: str
    available: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Users' requests a second by version (pod hash) from this second on; under "" those that meet no pod."""

    at: float
    rates: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One metric of one analysis run, with the limits it was held against."""

    run: str
    metric: str
    phase: str
    values: tuple[str, ...]
    phases: tuple[str, ...]
    limits: str
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPage:
    """One pull request as people saw it at the end: Markdown comments, and (context, state, description) of each status."""

    number: int
    title: str
    comments: tuple[str, ...]
    statuses: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one rehearsal showed."""

    title: str
    began: str
    seconds: float
    parts: Sequence[tuple[str, str]]
    entries: Sequence[Entry]
    weights: Sequence[Weights] = ()
    requests: Mapping[str, Sequence[Requests]] = field(default_factory=dict)
    measured: Sequence[Measured] = ()
    pulls: Sequence[PullPage] = ()
    restores: Sequence[str] = ()
    log: Sequence[str] = ()

    @property
    def outcomes(self) -> list[Outcome]:
        return [entry.outcome for entry in self.entries if entry.outcome is not None]

    @property
    def missed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if not outcome.held]
