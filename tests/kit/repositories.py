"""Real bare repositories to follow and to push to."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}
Files = Mapping[str, str | bytes | None]
"""New contents by name; None removes the file."""


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["git", *arguments], cwd=directory, env=ENVIRONMENT, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    at: int = 1_700_000_000


ANN = Person("Ann", "ann@example.com")


class Origin:
    """One bare repository that accepts pushes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        git(path, "init", "--bare", "--quiet", "--initial-branch=main")
        git(path, "config", "http.receivepack", "true")

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def commit(self, files: Files, message: str = "change", branch: str = "main", author: Person = ANN) -> str:
        """Adds a commit on the tip of a branch, or its first one."""
        head = self.head(branch)
        return self._write(files, message, author, (branch, f"from {head}\n" if head else ""))

    def rewrite(self, files: Files, message: str = "rewritten", branch: str = "main") -> str:
        """Replaces the whole history of a branch by one commit."""
        return self._write(files, message, ANN, (branch, ""))

    def force(self, commit: str, branch: str = "main") -> None:
        """Moves a branch to any commit."""
        git(self.path, "update-ref", f"refs/heads/{branch}", commit)

    def branch(self, name: str, of: str = "main") -> None:
        """A new branch where another one stands."""
        self.force(str(self.head(of)), name)

    def merge(self, branch: str, files: Files, message: str = "merge") -> str:
        """Merges a branch into main; `files` are what came of it where the two differ."""
        return self._write(files, message, ANN, ("main", f"from {self.head()}\nmerge refs/heads/{branch}\n"))

    def _write(self, files: Files, message: str, author: Person, onto: tuple[str, str]) -> str:
        branch, parent = onto
        text = message.encode()
        person = f"{author.name} <{author.email}> {author.at} +0000"
        stream = f"commit refs/heads/{branch}\nauthor {person}\ncommitter {person}\ndata {len(text)}\n".encode() + text + b"\n"
        stream += parent.encode()
        for name, content in files.items():
            if content is None:
                stream += f"D {name}\n".encode()
                continue
            blob = content.encode() if isinstance(content, str) else content
            stream += f"M {self.mode_of(name)} inline {name}\n".encode() + b"data %d\n%b\n" % (len(blob), blob)
        git(self.path, "fast-import", "--quiet", "--force", stdin=stream + b"\n")
        head = self.head(branch)
        assert head is not None
        return head

    def mode_of(self, name: str) -> str:
        """Names that end in `.link` are symbolic links, in `.sh` executable."""
        return "120000" if name.endswith(".link") else "100755" if name.endswith(".sh") else "100644"

    def link(self, name: str, target: str) -> str:
        """Makes a file of main a symbolic link."""
        head = self.head()
        stream = f"commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nl\nfrom {head}\n"
        stream += f"M 120000 inline {name}\ndata {len(target)}\n{target}\n\n"
        git(self.path, "fast-import", "--quiet", stdin=stream.encode())
        return self.head() or ""

    def submodule(self, name: str) -> str:
        """Adds a submodule entry to main."""
        head = self.head()
        stream = f"commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\ns\nfrom {head}\nM 160000 {head} {name}\n\n"
        git(self.path, "fast-import", "--quiet", stdin=stream.encode())
        return self.head() or ""

    def head(self, branch: str = "main") -> str | None:
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"],
            cwd=self.path,
            env=ENVIRONMENT,
            capture_output=True,
            check=False,
        )
        return done.stdout.decode().strip() or None

    def read(self, name: str, branch: str = "main") -> bytes:
        return git(self.path, "show", f"refs/heads/{branch}:{name}")

    def log(self, form: str, branch: str = "main") -> list[str]:
        return git(self.path, "log", f"--format={form}", f"refs/heads/{branch}").decode().splitlines()

    def remove(self, branch: str) -> None:
        git(self.path, "update-ref", "-d", f"refs/heads/{branch}")

    def restore(self, branch: str, commit: str) -> None:
        git(self.path, "update-ref", f"refs/heads/{branch}", commit)

    def refuse(self, words: str) -> None:
        """Every push is refused with these words from now on."""
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ncat >&2 <<'EOF'\n{words}\nEOF\nexit 1\n")
        hook.chmod(0o755)
