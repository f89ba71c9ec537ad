"""Git commands without git: what the daemon runs in its mirror, answered from memory in git's own words and formats."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from reconciler.git.command import Finished, GitCall, Object, Runner
from reconciler.git.errors import Damaged, Unreachable
from reconciler_sandbox.rehearsal.virtual.objects import REGULAR, CommitText, Files, ObjectStore, subject_of, trailers_of
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote

Remotes = Mapping[str, MemoryRemote]
Command = Callable[[GitCall, Sequence[str]], Finished]
INLINE = re.compile(rb'M (\d+) inline "((?:[^"\\]|\\.)*)"\n')
ESCAPE = re.compile(rb"\\([0-7]{3})")


class MemoryRunner(Runner):
    """Runs git's commands on objects in memory. A command that it does not know is a mistake of the program under it."""

    def __init__(self, directory: Path, store: ObjectStore, remotes: Remotes) -> None:
        self._place = directory
        self._store = store
        self._remotes = remotes
        self._commands: Mapping[str, Command] = {
            "init": self._init,
            "fetch": self._fetch,
            "cat-file": self._cat_file,
            "rev-parse": self._rev_parse,
            "merge-base": self._merge_base,
            "ls-tree": self._ls_tree,
            "diff-tree": self._diff_tree,
            "log": self._log,
            "fast-import": self._fast_import,
            "push": self._push,
            "ls-remote": self._ls_remote,
            "gc": lambda _call, _words: _done(),
        }

    async def run(self, call: GitCall) -> Finished:
        """One command. Raises KeyError for one that is not known here, Unreachable when the remote gives no answer."""
        words = [word for word in call.arguments if word != "--literal-pathspecs"]
        return self._commands[words[0]](call, words[1:])

    async def read(self, oids: Sequence[str]) -> list[bytes]:
        """The contents of blobs, in order."""
        missing = [oid for oid in oids if oid not in self._store.blobs]
        if missing:
            raise Damaged(f"git cat-file: an object cannot be read: {missing[0]} missing")
        return [self._store.blobs[oid] for oid in oids]

    async def look(self, names: Sequence[str]) -> list[Object]:
        """What each name stands for, in order."""
        return [self._object(name) for name in names]

    def close(self) -> None:
        """Nothing is held."""

    def _object(self, name: str) -> Object:
        found = self._store.find(name)
        if found is None:
            raise Damaged(f"git cat-file: an object cannot be read: {name} missing")
        return Object(found, self._store.kind(found), len(self._store.blobs.get(found, b"")))

    def _remote(self, call: GitCall, words: Sequence[str]) -> MemoryRemote:
        url = words[words.index("--") + 1]
        remote = self._remotes.get(url)
        if remote is None:
            raise KeyError(f"no repository at {url}")
        if remote.away:
            raise Unreachable(f"{call.name}: {remote.away}")
        return remote

    def _init(self, _call: GitCall, _words: Sequence[str]) -> Finished:
        (self._place / "HEAD").touch()
        return _done()

    def _fetch(self, call: GitCall, words: Sequence[str]) -> Finished:
        remote, (source, _, target) = self._remote(call, words), words[-1].lstrip("+").partition(":")
        found = remote.store.refs.get(source) or (source if source in remote.store.commits else None)
        if found is None:
            return _failed(128, f"fatal: couldn't find remote ref {source}")
        self._store.take(remote.store, found)
        self._store.refs[target] = found
        return _done()

    def _cat_file(self, _call: GitCall, words: Sequence[str]) -> Finished:
        return _done() if self._store.find(words[-1]) else _failed(1, "")

    def _rev_parse(self, _call: GitCall, words: Sequence[str]) -> Finished:
        found = self._store.find(words[-1])
        return _done(f"{found}\n".encode()) if found else _failed(1, "")

    def _merge_base(self, _call: GitCall, words: Sequence[str]) -> Finished:
        if words[0] == "--is-ancestor":
            old, new = words[1:]
            return _done() if old in set(self._store.ancestors(new)) else _failed(1, "")
        ours = set(self._store.ancestors(words[0]))
        base = next((name for name in self._store.ancestors(words[1]) if name in ours), None)
        return _done(f"{base}\n".encode()) if base else _failed(1, "")

    def _ls_tree(self, _call: GitCall, words: Sequence[str]) -> Finished:
        cut = words.index("--") if "--" in words else len(words)
        files: Files = self._store.files(words[cut - 1])
        wanted = {word.encode("utf-8", "surrogateescape") for word in words[cut + 1 :]}
        folders = tuple(name for name in wanted if name.endswith(b"/")) if "-r" in words else ()
        chosen = {name: entry for name, entry in files.items() if not wanted or name in wanted or (folders and name.startswith(folders))}
        if "--name-only" in words:
            return _done(b"".join(name + b"\0" for name in chosen))
        sized = "--long" in words
        return _done(b"".join(self._tree_line(name, entry, sized=sized) for name, entry in chosen.items()))

    def _tree_line(self, name: bytes, entry: tuple[str, str], *, sized: bool) -> bytes:
        mode, oid = entry
        size = f" {len(self._store.blobs[oid]):>7}" if sized else ""
        return f"{mode} blob {oid}{size}\t".encode() + name + b"\0"

    def _diff_tree(self, call: GitCall, words: Sequence[str]) -> Finished:
        if "--stdin" in words:
            return _done(b"".join(self._names_changed(oid) for oid in call.stdin.decode().split()))
        lines = []
        for name, (old_mode, old), (mode, new) in self._store.changed(*words[-2:]):
            status = "A" if set(old) == {"0"} else "D" if set(new) == {"0"} else "M"
            lines.append(f":{old_mode} {mode} {old} {new} {status}".encode() + b"\0" + name + b"\0")
        return _done(b"".join(lines))

    def _names_changed(self, commit: str) -> bytes:
        if commit not in self._store.commits:
            return b""  # git takes names of objects alone here, and passes on what is none
        parents = self._store.commits[commit].parents
        names = [name for name, _, _ in self._store.changed(parents[0] if parents else None, commit)] if len(parents) < 2 else []
        return b"".join(part + b"\0" for part in (commit.encode(), *names)) if names else b""

    def _log(self, _call: GitCall, words: Sequence[str]) -> Finished:
        if "--max-count=1" in words:
            named = self._store.find(words[-1])
            if named is None:
                return _failed(128, f"fatal: bad revision '{words[-1]}'")
            return _done("\0".join(_facts(named, self._store.commits[named])).encode() + b"\0")
        pattern = next((re.compile(word.removeprefix("--grep="), re.MULTILINE) for word in words if word.startswith("--grep=")), None)
        if pattern is not None:
            old, _, new = words[-1].partition("..")
            found = self._messages(pattern, set(self._store.ancestors(old)), new)
        else:
            cut = words.index("--")
            tip = self._store.find(words[cut - 1])
            if tip is None:
                return _failed(128, f"fatal: bad revision '{words[cut - 1]}'")
            found = self._touching({word.encode("utf-8", "surrogateescape") for word in words[cut + 1 :]}, tip)
        first = next(found, "")
        return _done(f"{first}\n".encode() if first else b"")

    def _messages(self, pattern: re.Pattern[str], known: set[str], tip: str) -> Iterator[str]:
        for name in self._store.ancestors(tip):
            if name not in known and pattern.search(self._store.commits[name].message.decode(errors="replace")):
                yield name

    def _touching(self, names: set[bytes], tip: str) -> Iterator[str]:
        for commit in self._store.ancestors(tip):
            parents = self._store.commits[commit].parents
            if any(name in names for name, _, _ in self._store.changed(parents[0] if parents else None, commit)):
                yield commit

    def _fast_import(self, call: GitCall, _words: Sequence[str]) -> Finished:
        header, _, rest = call.stdin.partition(b"\ndata ")
        fields = [line.partition(b" ")[::2] for line in header.split(b"\n")]
        people = {key.decode(): value.decode() for key, value in fields}
        size, _, rest = rest.partition(b"\n")
        message, rest = rest[: int(size)], rest[int(size) + 1 :]
        parents = []
        while rest.startswith((b"from ", b"merge ")):
            line, _, rest = rest.partition(b"\n")
            parents.append(line.split(b" ")[1].decode())
        entries = dict(self._store.files(parents[0]))
        while (inline := INLINE.match(rest)) is not None:
            size, _, rest = rest[inline.end() + len(b"data ") :].partition(b"\n")
            name = ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), inline[2])
            entries[name] = (inline[1].decode() or REGULAR, self._store.blob(rest[: int(size)]))
            rest = rest[int(size) + 1 :]
        author, committer = people["author"], people["committer"]
        text = CommitText(tree=self._store.tree(entries), parents=tuple(parents), author=author, committer=committer, message=message)
        return _done(f"{self._store.commit(text)}\n".encode())

    def _push(self, call: GitCall, words: Sequence[str]) -> Finished:
        remote, (commit, _, ref) = self._remote(call, words), words[-1].partition(":")
        answer = remote.receive(self._store, commit, ref)
        if remote.loses_answers:
            remote.loses_answers -= 1
            raise Unreachable(f"{call.name}: the remote end hung up unexpectedly")
        said = "".join(f"remote: {line}\n" for line in answer.said.splitlines())
        stdout = f"To {words[words.index('--') + 1]}\n{answer.flag}\t{commit}:{ref}\t{answer.summary}\nDone\n".encode()
        return Finished(0 if answer.taken else 1, stdout, said)

    def _ls_remote(self, call: GitCall, words: Sequence[str]) -> Finished:
        remote, wanted = self._remote(call, words), words[-1]
        found = remote.store.refs.get(wanted)
        return _done(f"{found}\t{wanted}\n".encode() if found else b"")


def _facts(oid: str, commit: CommitText) -> tuple[str, ...]:
    person, _, moment = commit.author.rpartition("> ")
    name, _, email = person.partition(" <")
    seconds = str(int(datetime.fromtimestamp(int(moment.split()[0]), UTC).timestamp()))
    return oid, name, email, seconds, subject_of(commit.message), "\n".join(trailers_of(commit.message))


def _done(output: bytes = b"") -> Finished:
    return Finished(0, output, "")


def _failed(status: int, words: str) -> Finished:
    return Finished(status, b"", words)
