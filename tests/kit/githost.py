"""A Git host on loopback with two users, and git as a person runs it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from reconciler_sandbox.githost.host import GitHost

USERS = {"bot": "b0t-token", "ann": "ann-token", "reader": "reader-token"}
REPO = "shop/manifests"
FILES = {"app.yaml": b"image: shop:1.0\n", "other.yaml": b"image: other:1.0\n"}


@asynccontextmanager
async def git_host(folder: Path, *, rate_limit: int = 5000) -> AsyncIterator[GitHost]:
    """A started host with one repository; `reader` may not push."""
    host = GitHost(folder / "hosted", users=USERS, writers={"bot", "ann"}, rate_limit=rate_limit)
    await host.start()
    try:
        await host.create_repository(REPO, FILES)
        yield host
    finally:
        await host.stop()


@asynccontextmanager
async def api(host: GitHost, user: str = "bot") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the REST API; paths are relative to /api/v3/."""
    headers = {"Authorization": f"Bearer {USERS[user]}"}
    async with httpx.AsyncClient(base_url=host.api + "/", headers=headers, trust_env=False, timeout=20) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished command."""

    code: int
    output: str
    errors: str


async def run_git(folder: Path, *arguments: str, check: bool = True) -> Ran:
    """Run git like a person's shell, without their configuration."""
    person = {
        f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com"))
    }
    settled = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "HOME": "/nonexistent",
    }
    child = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **person, **settled},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(child.communicate(), 60)
    ran = Ran(child.returncode or 0, output.decode(), errors.decode())
    assert ran.code == 0 or not check, ran
    return ran


async def cloned(host: GitHost, folder: Path, user: str = "ann") -> Path:
    """A working copy of the repository."""
    work = folder / f"work-{user}"
    await run_git(folder, "clone", "--quiet", host.clone_url(REPO, user), str(work))
    return work


async def committed(work: Path, path: str, content: str) -> str:
    """Commit one file in a working copy; returns the commit."""
    (work / path).write_text(content)
    await run_git(work, "add", path)
    await run_git(work, "commit", "--quiet", "-m", f"Change {path}")
    return (await run_git(work, "rev-parse", "HEAD")).output.strip()
