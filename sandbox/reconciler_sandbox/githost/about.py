"""REST: the repository itself — its branches, their rules, and who is asking."""

from reconciler_sandbox.githost import views
from reconciler_sandbox.githost.answers import Refusal, Reply, page
from reconciler_sandbox.githost.calls import Call


async def read_user(call: Call) -> Reply:
    return Reply(200, views.user(call.user))


async def read_repository(call: Call) -> Reply:
    writes = call.access.may_write(call.user)
    permissions = {"admin": False, "push": writes, "pull": True}
    project = call.project
    return Reply(200, views.repository(call.site, project.name, project.repository.default_branch, permissions))


async def list_branches(call: Call) -> Reply:
    refs = await call.project.repository.refs()
    heads = {ref.removeprefix("refs/heads/"): sha for ref, sha in refs.items() if ref.startswith("refs/heads/")}
    return page([_branch(call, name, sha) for name, sha in heads.items()], call.url)


async def read_branch(call: Call) -> Reply:
    sha = await call.project.repository.tip(call.params["branch"])
    if sha is None:
        raise Refusal(404, "Branch not found")
    return Reply(200, _branch(call, call.params["branch"], sha))


async def branch_rules(call: Call) -> Reply:
    """Active ruleset rules; classic protection is not shown here, as on GitHub."""
    rule = call.project.protection.get(f"refs/heads/{call.params['branch']}")
    if rule is None or not rule["ruleset"]:
        return page([], call.url)
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.project.name, "ruleset_id": 1}
    return page([{"type": "pull_request", **source, "parameters": {"required_approving_review_count": 0}}], call.url)


def _branch(call: Call, name: str, sha: str) -> views.Document:
    protected = f"refs/heads/{name}" in call.project.protection
    return {"name": name, "commit": {"sha": sha}, "protected": protected}
