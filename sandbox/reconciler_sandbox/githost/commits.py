"""REST: what is known of a commit — its statuses and the pull requests that brought it."""

import re

from reconciler_sandbox.githost import views
from reconciler_sandbox.githost.answers import Refusal, Reply, invalid, page
from reconciler_sandbox.githost.calls import Call
from reconciler_sandbox.githost.pulls import listed
from reconciler_sandbox.githost.records import Pull, Status

STATES = ("error", "failure", "pending", "success")
SHA = re.compile(r"[0-9a-f]{40}")


async def create_status(call: Call) -> Reply:
    """A status needs a state, at most 140 characters of description and a commit that exists."""
    call.require_write("statuses=write")
    sha, book = call.params["sha"], call.project.book
    if not SHA.fullmatch(sha):
        raise Refusal(422, "The SHA must be 40 hexadecimal characters")
    state = call.text("Status", "state")
    if state not in STATES:
        raise invalid("Status", "state", code="invalid")
    context = call.text("Status", "context", largest=255, default="default")
    description = call.text("Status", "description", largest=140, default="")
    target = call.text("Status", "target_url", default="")
    if target and not target.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "target_url must use http(s) scheme")
    await _known(call, sha)
    if book.full(sha, context):
        raise invalid("Status", "base", "This SHA and context has reached the maximum number of statuses.")
    status = Status(id=next(book.ids), sha=sha, state=state, context=context, description=description, target_url=target, author=call.user)
    book.statuses.setdefault(sha, []).append(status)
    return Reply(201, views.status(status, call.site, call.project.name))


async def combined_status(call: Call) -> Reply:
    """The newest status of each context, and all of them as one state."""
    sha = await _known(call, call.params["ref"])
    newest = call.project.book.newest(sha)
    shown = page([views.status(status, call.site, call.project.name) for status in newest], call.url)
    state = views.combined([status.state for status in newest])
    return Reply(200, {"sha": sha, "state": state, "total_count": len(newest), "statuses": shown.document}, shown.headers)


async def pulls_of_commit(call: Call) -> Reply:
    """The pull requests with this commit: on the default branch only the merged ones, else the open ones too."""
    sha = await _known(call, call.params["ref"])
    tip = await call.project.repository.tip(call.project.repository.default_branch)
    landed = tip is not None and await call.project.repository.contains(tip, sha)

    def brought(pull: Pull) -> bool:
        return sha in (*pull.commits, pull.merge_commit) and (pull.merged or (pull.state == "open" and not landed))

    pulls = [pull for pull in call.project.book.pulls.values() if brought(pull)]
    return page([await listed(call, pull) for pull in pulls], call.url)


async def _known(call: Call, ref: str) -> str:
    sha = await call.project.repository.resolve(ref)
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {ref}")
    return sha
