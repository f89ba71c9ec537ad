"""What people and bots do in Git in a tale: pushes of every kind, races, moves, broken files, and the button that merges a proposal."""

import re
from collections.abc import Callable, Mapping

from reconciler_sandbox.rehearsal.hunt.plots import BESIDE, FILE, IMAGE, POLICY_FILE, policy_file
from reconciler_sandbox.rehearsal.hunt.tale import Deed, Happening, Tale
from reconciler_sandbox.rehearsal.virtual.remote import HEADS
from reconciler_sandbox.rehearsal.virtual.world import World

TAG = re.compile(re.escape(f"image: {IMAGE}:").encode() + rb"(\S+)")
NOTE, MODE = re.compile(rb"note: n\d+"), re.compile(rb"value: m\d+")
WEIGHT, HISTORY, REPLICAS = re.compile(rb"setWeight: 25"), re.compile(rb"revisionHistoryLimit: \d+"), re.compile(rb"replicas: [24]\b")
MOVED = "apps/web.yaml"
PROPOSALS = "refs/heads/reconciler/restore/"
BROKEN = b"\n}} this is no yaml: [\n"


class Committers:
    """Everybody who pushes. A deed that cannot be done says why in a word."""

    def __init__(self, world: World, tale: Tale) -> None:
        self._world = world
        self._tale = tale
        self._tags = ["1.0"]
        self._count = 0
        self._removed: bytes | None = None
        self._deeds: Mapping[Deed, Callable[[str], str]] = {
            Deed.PUSH: self._push,
            Deed.PUSH_AGAIN: self._push_again,
            Deed.PUSH_BACK: self._push_back,
            Deed.ANNOTATE: lambda _: self._edit(NOTE, b"note: n%d", "annotate"),
            Deed.CONFIGURE: lambda _: self._edit(MODE, b"value: m%d", "configure"),
            Deed.REWRITE: self._rewrite,
            Deed.RACE: self._race,
            Deed.MOVE_FILE: self._move,
            Deed.BREAK_YAML: self._break,
            Deed.REMOVE_FILE: self._remove,
            Deed.REPLICAS: lambda _: self._edit(REPLICAS, b"replicas: 5", "more of them"),
            Deed.RESHAPE: self._reshape,
            Deed.POLICY: self._policy,
            Deed.MERGE: self._merge,
        }

    def does(self, deed: Deed) -> bool:
        """True for what is done in Git."""
        return deed in self._deeds

    def do(self, happening: Happening) -> str:
        """Do it, and say what came of it."""
        return self._deeds[happening.deed](happening.what)

    @property
    def tag(self) -> str:
        """The version that Git asks for, as far as the file can be found."""
        found = TAG.search(self._read())
        return found[1].decode() if found else ""

    def _name(self) -> str:
        return FILE if self._world.remote.read(FILE) is not None else MOVED

    def _read(self) -> bytes:
        return self._world.remote.read(self._name()) or b""

    def _commit(self, files: Mapping[str, bytes | None], words: str) -> str:
        self._count += 1
        made = self._world.remote.commit(files, f"{words}\n", at=self._world.now)
        if self._tale.told and self._count % 3:  # the others are pushed past pull requests
            self._world.forge.merged(made, words)
        return made[:7]

    def _edit(self, pattern: re.Pattern[bytes], text: bytes, words: str) -> str:
        before = self._read()
        after = pattern.sub(text % (self._count + 1) if b"%d" in text else text, before)
        return self._commit({self._name(): after}, words) if after != before else "nothing to edit"

    def _asks_for(self, tag: str, words: str) -> str:
        before = self._read()
        if not TAG.search(before):
            return "there is no file"
        return f"{tag} by " + self._commit({self._name(): TAG.sub(f"image: {IMAGE}:{tag}".encode(), before)}, f"{words} {tag}")

    def _push(self, what: str) -> str:
        self._tags.append(f"{what}-{len(self._tags)}")
        return self._asks_for(self._tags[-1], "release")

    def _push_again(self, _: str) -> str:
        """A bot writes the newest version anew, whatever became of it."""
        return self._asks_for(self._tags[-1], "bump")

    def _push_back(self, _: str) -> str:
        """A person reverts to the version before the one that is asked for."""
        place = self._tags.index(self.tag) if self.tag in self._tags else 0
        return self._asks_for(self._tags[max(place - 1, 0)], "revert to")

    def _rewrite(self, _: str) -> str:
        """The newest commit is taken from the branch by force."""
        history = self._world.remote.history()
        if len(history) < 2:
            return "nothing to rewrite"
        self._world.remote.store.refs["refs/heads/main"] = history[1][0]
        return f"back to {history[1][0][:7]}"

    def _race(self, _: str) -> str:
        """Somebody is faster than the next push, with a file beside."""

        def faster() -> None:
            self._commit({BESIDE: (self._world.remote.read(BESIDE) or b"") + b"# again\n"}, "faster")

        self._world.remote.before_push = faster
        return ""

    def _move(self, _: str) -> str:
        old, new = (FILE, MOVED) if self._name() == FILE else (MOVED, FILE)
        content = self._world.remote.read(old)
        return self._commit({old: None, new: content}, "move") if content is not None else "there is no file"

    def _break(self, _: str) -> str:
        return self._commit({self._name(): self._read() + BROKEN}, "break") if self._read() else "there is no file"

    def _remove(self, _: str) -> str:
        self._removed = self._read() or self._removed
        return self._commit({self._name(): None}, "remove") if self._read() else "there is no file"

    def mend(self, deed: Deed) -> str:
        """The file is readable again."""
        if deed is Deed.REMOVE_FILE:
            return self._commit({FILE: self._removed}, "put back") if not self._read() else "it is there"
        after = self._read().replace(BROKEN, b"")
        return self._commit({self._name(): after}, "mend") if after != self._read() else "it is whole"

    def _reshape(self, what: str) -> str:
        """The Rollout's own fields are edited while a release is under way."""
        if what == "steps":
            return self._edit(WEIGHT, b"setWeight: 30", "reshape")
        return self._edit(HISTORY, b"revisionHistoryLimit: 2", "reshape")

    def _policy(self, what: str) -> str:
        name, _, value = what.partition(": ")
        return self._commit({POLICY_FILE: policy_file(self._tale, {name: value})}, f"policy {what}")

    def _merge(self, _: str) -> str:
        """A person merges the open proposal, as far as it fits on what is there."""
        store = self._world.remote.store
        ref = next((ref for ref in sorted(store.refs) if ref.startswith(PROPOSALS)), "")
        if not ref:
            return "there is no proposal"
        name = self._name()
        found = store.find(f"{ref}:{name}")
        base = store.find(f"{store.refs[ref]}^:{name}")
        if found is None or base is None or store.blobs[base] != self._read():
            return "it does not fit any more"
        del store.refs[ref]
        made = self._commit({name: store.blobs[found]}, "Merge the proposal")
        self._world.forge.merge_proposal(ref.removeprefix(HEADS), self._world.remote.head() or "")
        return made
