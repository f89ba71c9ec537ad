"""One object to write, as data: the patch, what precedes it, and where it stands in Git."""

from dataclasses import dataclass

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import Action, Patch
from reconciler.sources.inventory import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One server-side apply, derived from the live object of the same facts."""

    place: Place
    patch: Patch
    rank: float
    wave: int = 0
    """The sync wave: a later one is not begun while this one is on its way."""
    digest: str
    """Names what is wished, so that the same wish is not tried again before its time."""
    file: str = ""
    line: int = 0
    takeover: Patch | None = None
    """What makes an object ours first that kubectl's client-side apply wrote."""
    replaced: bool = False
    """True when it is written whole, as Git asks for it."""
    forced: str = ""
    """The uid of the object that goes when the server refuses the change; empty where it has to stay."""
    creates: bool = False
    needs: frozenset[Place] = frozenset()
    """What has to be written before it in the same pass, or it is not."""
    in_git: bool = True
    """True when the object stands in Git; the Rollout of an adopted Deployment does not, and is handed back, never pruned."""

    @property
    def ref(self) -> ObjectRef:
        return self.patch.ref

    def __str__(self) -> str:
        return f"{'create' if self.creates else 'change'} {self.ref}"


@dataclass(frozen=True, slots=True)
class HookStep:
    """What is done about the object of one hook; `digest` is its mark. With `after_writes` not before every write went through."""

    place: Place
    ref: ObjectRef
    actions: tuple[Action, ...]
    digest: str
    words: str
    file: str
    line: int
    after_writes: bool = False

    def __str__(self) -> str:
        return self.words
