"""What commits of a Git server in memory changed, as `git diff` shows it."""

from collections.abc import Iterator
from difflib import unified_diff

from reconciler_sandbox.rehearsal.played import GitCommit
from reconciler_sandbox.rehearsal.virtual.objects import ObjectStore
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote


def commits_since(remote: MemoryRemote, before: str | None) -> list[GitCommit]:
    """The commits of main after this one, oldest first."""
    found: list[GitCommit] = []
    for name, text in remote.history():
        if name == before:
            break
        diff = "\n".join(line for parent in text.parents[:1] for line in _diff(remote.store, parent, name))
        found.append(GitCommit(name[:7], text.message.decode(errors="replace").strip(), text.author.rpartition(" <")[0], diff))
    return found[::-1]


def _diff(store: ObjectStore, old: str, new: str) -> Iterator[str]:
    for path, (_, before), (_, after) in store.changed(old, new):
        name = path.decode(errors="replace")
        yield f"diff --git a/{name} b/{name}"
        was, now = (store.blobs.get(blob, b"").decode(errors="replace").splitlines() for blob in (before, after))
        yield from unified_diff(was, now, f"a/{name}", f"b/{name}", lineterm="")
