"""REST: pull requests — list, open, read, change, merge."""

from dataclasses import replace

from reconciler_sandbox.githost import views
from reconciler_sandbox.githost.answers import Reply, invalid, page
from reconciler_sandbox.githost.calls import Call
from reconciler_sandbox.githost.hosted import Merging, Opening
from reconciler_sandbox.githost.records import Pull, timestamp
from reconciler_sandbox.githost.repository import MergeConflict

WRITE = "pull_requests=write"


async def list_pulls(call: Call) -> Reply:
    """Newest first, filtered by state (default open), head (owner:branch) and base."""
    query = call.url.query
    state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")
    owner, _, branch = head.rpartition(":")
    ours = call.project.name.partition("/")[0]

    def wanted(pull: Pull) -> bool:
        if head and owner and (owner, branch) != (ours, pull.head):
            return False  # without an owner GitHub ignores the filter
        return state in ("all", pull.state) and base in ("", pull.base)

    pulls = [pull for pull in reversed(call.project.book.pulls.values()) if wanted(pull)]
    return page([await listed(call, pull) for pull in pulls], call.url)


async def create_pull(call: Call) -> Reply:
    """Open one; needs the right to write."""
    call.require_write(WRITE)
    owner, _, branch = call.text("PullRequest", "head").rpartition(":")
    if owner not in ("", call.project.name.partition("/")[0]):
        raise invalid("PullRequest", "head", code="invalid")
    opening = Opening(
        head=branch,
        base=call.text("PullRequest", "base"),
        title=call.text("PullRequest", "title", largest=256),
        body=call.text("PullRequest", "body", default=""),
        author=call.user,
        draft=call.body.get("draft") is True,
    )
    if not opening.title.strip():
        raise invalid("PullRequest", "title", code="missing_field")
    return Reply(201, await _long(call, await call.project.open(opening)))


async def read_pull(call: Call) -> Reply:
    return Reply(200, await _long(call, call.pull))


async def update_pull(call: Call) -> Reply:
    """Change title or body, or close it."""
    call.require_write(WRITE)
    pull = call.pull
    title = call.text("PullRequest", "title", largest=256, default=pull.title)
    body = call.text("PullRequest", "body", default=pull.body)
    call.project.book.pulls[pull.number] = replace(pull, title=title, body=body, updated_at=timestamp())
    if call.body.get("state") == "closed":
        await call.project.close(pull.number)
    return Reply(200, await _long(call, call.pull))


async def merge_pull(call: Call) -> Reply:
    """Merge it: 405 if it cannot be, 409 if `sha` is not its head any more."""
    call.require_write("contents=write")
    merging = Merging(
        method=call.text("PullRequest", "merge_method", default="merge"),
        user=call.user,
        sha=call.text("PullRequest", "sha", default=""),
        title=call.text("PullRequest", "commit_title", default=""),
        message=call.text("PullRequest", "commit_message", default=""),
    )
    merged = await call.project.merge(call.pull.number, merging)
    return Reply(200, {"sha": merged.merge_commit, "merged": True, "message": "Pull Request successfully merged"})


async def listed(call: Call, pull: Pull) -> views.Document:
    base = await call.project.repository.tip(pull.base) or ""
    labels = [views.label(name) for name in call.project.book.labels.get(pull.number, ())]
    return {**views.pull(pull, call.site, call.project.name, base), "labels": labels}


async def _long(call: Call, pull: Pull) -> views.Document:
    mergeable = await _mergeable(call, pull)
    return {
        **await listed(call, pull),
        "merged": pull.merged,
        "merged_by": views.user(pull.merged_by) if pull.merged else None,
        "mergeable": mergeable,
        "mergeable_state": {None: "unknown", True: "clean", False: "dirty"}[mergeable],
        "comments": len(call.project.book.conversation(pull.number)),
        "commits": len(pull.commits),
    }


async def _mergeable(call: Call, pull: Pull) -> bool | None:
    base = await call.project.repository.tip(pull.base)
    if pull.state != "open" or base is None:
        return None
    try:
        await call.project.repository.merged_tree(base, pull.head_sha)
    except MergeConflict:
        return False
    return True
