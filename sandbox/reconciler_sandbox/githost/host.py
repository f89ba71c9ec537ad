"""The host itself: repositories over smart HTTP and REST on one port, and the hands that stories steer it with."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from reconciler_sandbox.githost import views
from reconciler_sandbox.githost.access import ANONYMOUS, Access, Unauthenticated
from reconciler_sandbox.githost.backend import Backend, GitCall, find_program, git_call, serve_git
from reconciler_sandbox.githost.courier import Courier, Delivery, Hook
from reconciler_sandbox.githost.faults import Faults
from reconciler_sandbox.githost.hosted import Hosted, Merging, Opening
from reconciler_sandbox.githost.records import Comment, Pull, Status
from reconciler_sandbox.githost.repository import Commit, Files, Outrun, Repository, executables_of, files_of, person
from reconciler_sandbox.githost.rest import PREFIX, Rest

WRITES = 20
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}
OWNER = "Olive Owner <olive@example.com>"


class GitHost:
    """A Git host on loopback. `users` are names with their tokens (none = everybody may do everything); `writers` may push, default all.

    `rate_limit` counts REST calls per user and hour.
    """

    def __init__(self, folder: Path, *, users: Mapping[str, str], writers: Collection[str] | None = None, rate_limit: int = 5000) -> None:
        self.access = Access(users, writers)
        self.faults = Faults()
        self.requests: list[tuple[str, str, int]] = []
        self._folder = folder
        self._repositories: dict[str, Hosted] = {}
        self._hooks: dict[str, list[Hook]] = {}
        self._courier = Courier()
        self._rest = Rest(self._repositories, self.access, rate_limit)
        self._runner: web.ServerRunner | None = None
        self._backend: Backend | None = None

    # -- the server ---------------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; with port 0 on any free one, see `url`."""
        self._backend = Backend(await find_program(), self._folder)
        server = web.Server(self._serve, access_log=None, auto_decompress=False)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0]
        self._rest.site = f"http://{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Close every connection and give up deliveries under way."""
        if self._runner:
            await self._runner.cleanup()
        await self._courier.stop()

    @property
    def url(self) -> str:
        """The address, without a slash at the end; known once started."""
        return self._rest.site

    @property
    def api(self) -> str:
        return self.url + PREFIX

    def clone_url(self, name: str, user: str | None = None) -> str:
        """The address for git, with the user's token in it if one is named."""
        if user is None:
            return f"{self.url}/{name}.git"
        scheme, _, place = self.url.partition("://")
        return f"{scheme}://{quote(user, safe='')}:{quote(self.access.token(user), safe='')}@{place}/{name}.git"

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self.faults.meet(request)
        if response is None:
            response = await self._answer(request)
            if not response.prepared:
                response = await self.faults.meet(request, after=True) or response
        self.requests.append((request.method, request.path_qs, response.status))
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(PREFIX + "/"):
            return await self._rest.serve(request)
        call = git_call(request)
        if call is None:
            return web.Response(status=404, text="Not Found\n")
        try:
            user = self.access.identify(request.headers.get("Authorization"))
        except Unauthenticated as error:
            return web.Response(status=401, text=f"{error}\n", headers=CHALLENGE)
        return await self._git(request, call, user)

    async def _git(self, request: web.BaseRequest, call: GitCall, user: str) -> web.StreamResponse:
        hosted = self._repositories.get(call.name)
        if hosted is None or self._backend is None:
            return web.Response(status=404, text="Repository not found.\n")
        if call.writes and not self.access.may_write(user):
            return web.Response(status=403, text=f"Permission to {call.name}.git denied to {user}.\n")
        response = await serve_git(request, self._backend, call, user)
        if call.service == "git-receive-pack":
            await hosted.settle(user)
        return response

    # -- repositories -------------------------------------------------------------------------------------------------

    async def create_repository(self, name: str, files: Files | Path, branch: str = "main", author: str = OWNER) -> str:
        """Make `owner/name` with one commit of these files, or of everything in a folder; returns the commit."""
        repository = Repository(self._folder / f"{name}.git", name, branch)
        await repository.create()
        hosted = self._repositories[name] = Hosted(repository, self._notify)
        executable = executables_of(files) if isinstance(files, Path) else frozenset()
        contents = files_of(files) if isinstance(files, Path) else files
        sha = await repository.write(branch, contents, "Initial commit", person(author), executable=executable)
        await hosted.settle(ANONYMOUS, silent=True)
        return sha

    def repository(self, name: str) -> Repository:
        """The bare repository, for stories that want to read it with git."""
        return self._repositories[name].repository

    async def push_files(self, name: str, branch: str, files: Files, message: str, author: str = OWNER) -> str:
        """Commit on a branch as a person's push would: with webhooks, again if outrun. Returns the commit."""
        hosted = self._repositories[name]
        for _ in range(WRITES):
            with suppress(Outrun):
                sha = await hosted.repository.write(branch, files, message, person(author))
                await hosted.settle(person(author).name)
                return sha
        raise Outrun(f"{name}: {branch} moved {WRITES} times while a commit was written")

    async def log(self, name: str, branch: str = "main") -> list[Commit]:
        """The commits of a branch, newest first."""
        return await self._repositories[name].repository.log(f"refs/heads/{branch}")

    async def read(self, name: str, path: str, revision: str = "HEAD") -> bytes:
        """A file's content at a revision."""
        return await self._repositories[name].repository.read(revision, path)

    # -- pull requests ------------------------------------------------------------------------------------------------

    async def open_pull(self, name: str, branch: str, title: str, files: Files, author: str = OWNER) -> Pull:
        """Commit files on a new branch off the default branch and open a pull request for it."""
        hosted = self._repositories[name]
        await self.push_files(name, branch, files, title, author)
        base = hosted.repository.default_branch
        return await hosted.open(Opening(head=branch, base=base, title=title, body="", author=person(author).name))

    async def merge_pull(self, name: str, number: int, method: str = "merge", user: str = "Olive Owner") -> str:
        """Merge it as a person would in the browser; returns the merge commit."""
        return (await self._repositories[name].merge(number, Merging(method=method, user=user))).merge_commit

    def pulls(self, name: str) -> list[Pull]:
        return list(self._repositories[name].book.pulls.values())

    def comments(self, name: str, number: int) -> list[Comment]:
        """The conversation of a pull request, oldest first."""
        return self._repositories[name].book.conversation(number)

    def statuses(self, name: str, sha: str) -> list[Status]:
        """Every status a commit was given, oldest first."""
        return list(self._repositories[name].book.statuses.get(sha, ()))

    # -- webhooks -----------------------------------------------------------------------------------------------------

    def add_webhook(self, name: str, url: str, secret: str) -> None:
        """Deliver the pushes of this repository to a URL from now on."""
        self._hooks.setdefault(name, []).append(Hook(url, secret))

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery attempt that has ended."""
        return self._courier.deliveries

    async def delivered(self) -> None:
        """Wait until no delivery is under way."""
        await self._courier.settle()

    def _notify(self, hosted: Hosted, event: str, payload: Mapping[str, Any]) -> None:
        repository = views.repository(self.url, hosted.name, hosted.repository.default_branch, {"pull": True})
        document = {**payload, "repository": repository, "sender": views.user(payload["pusher"]["name"])}
        for hook in self._hooks.get(hosted.name, ()):
            self._courier.send(hook, event, document)
