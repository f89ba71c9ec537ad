"""What a story says: images, traffic, steps and expectations, as frozen data (docs/stories.md). Parsed by `parse`, played by `player`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.identity import Resource
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.compare import Comparison

ANYBODY = "Ann Author <ann@example.com>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Steady users: requests a second to one host through the gateway port that Gateways declare; rate 0 means none."""

    host: str
    path: str = "/"
    port: int = 80
    headers: Mapping[str, str] = field(default_factory=dict)
    rate: float = 10.0


# -- what a step does -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file of a push: texts replaced (each must occur), the whole content, or removed."""

    file: str
    replace: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None
    remove: bool = False


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Opened from the push's branch, and merged unless told otherwise."""

    title: str
    merge: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    message: str
    edits: tuple[Edit, ...]
    author: str = ANYBODY
    branch: str = "main"
    pull: PullRequest | None = None


@dataclass(frozen=True, slots=True)
class ObjectName:
    """One object, or with shell patterns in the name all that match."""

    resource: Resource
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.resource.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.resource.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ObjectPatch:
    target: ObjectName
    body: Any
    style: str = "merge"


@dataclass(frozen=True, slots=True)
class Verb:
    """A command as a person types it: `reconciler …` or `kubectl …`; the kubeconfig is added."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BehaviourChange:
    images: Mapping[str, Behaviour]


@dataclass(frozen=True, slots=True)
class TrafficChange:
    flows: Mapping[str, Flow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """What goes wrong at one outside system: for so many calls, or for so many seconds, or (neither) until the story ends."""

    target: str
    status: int = 0
    delay: float = 0.0
    cut: bool = False
    after: bool = False
    method: str = "*"
    path: str = "*"
    times: int | None = None
    lasting: float | None = None


@dataclass(frozen=True, slots=True)
class DaemonOrder:
    """start · stop (SIGTERM, and it must end in time) · kill (SIGKILL) · restart (kill, then start)."""

    order: str


# -- what a story expects ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectField:
    """A field of an object; `where` chooses among several by the text of fields."""

    target: ObjectName
    path: str
    comparison: Comparison
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many pods of an image are Ready."""

    image: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Share:
    """How a burst of untagged requests is shared among versions: the parts of 1, each within 4 sigma."""

    traffic: str
    parts: Mapping[str, float]
    requests: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """Requests with the headers are all answered by `version`, requests without them all by `without`."""

    traffic: str
    headers: Mapping[str, str]
    version: str
    without: str
    requests: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """How many untagged requests so far a version answered, or (failed) got no answer or a 5xx."""

    traffic: str
    comparison: Comparison
    version: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFile:
    file: str
    comparison: Comparison
    branch: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """How many commits of a branch have a message that the pattern is found in."""

    matching: str
    count: int
    branch: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullNote:
    """What the pull request with this title was told: how many comments, what the last one says, the newest status of its commits."""

    title: str
    comments: int | None = None
    text: Comparison | None = None
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitNote:
    """What the newest commit with this subject was told: the state of its newest status, and its description."""

    subject: str
    status: str = ""
    text: Comparison | None = None


Subject = ObjectField | Replicas | Share | Tagged | Users | GitFile | Commits | PullNote | CommitNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One claim: it becomes true within so many seconds, and stays true for so many."""

    what: str
    subject: Subject
    within: float
    stays: float = 0.0


@dataclass(frozen=True, slots=True)
class Expect:
    """Claims that are looked at side by side; each deadline counts from the step's begin."""

    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Lanes of steps, played side by side."""

    lanes: Mapping[str, tuple["Step", ...]]


Action = Push | ObjectPatch | Verb | BehaviourChange | TrafficChange | FaultOrder | DaemonOrder | Expect | Together


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens, with its words for the timeline and where it is written (`file:line`)."""

    action: Action
    name: str = ""
    say: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One story. `lane` names it where several are played side by side."""

    lane: str
    title: str
    say: str
    images: Mapping[str, Behaviour]
    traffic: Mapping[str, Flow]
    steps: tuple[Step, ...]
