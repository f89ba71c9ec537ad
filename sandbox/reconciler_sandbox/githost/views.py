"""Records as the JSON documents that GitHub's REST API shows. Pure."""

from collections.abc import Mapping
from typing import Any

from reconciler_sandbox.githost.records import Comment, Pull, Status

Document = dict[str, Any]


def user(login: str) -> Document:
    identity = int.from_bytes(login.encode()[:6], "big")
    return {"login": login, "id": identity, "type": "Bot" if login.endswith("[bot]") else "User", "site_admin": False}


def side(name: str, branch: str, sha: str) -> Document:
    """The head or base of a pull request."""
    owner = name.partition("/")[0]
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, "user": user(owner), "repo": {"full_name": name}}


def pull(record: Pull, site: str, name: str, base_sha: str) -> Document:
    """A pull request as in lists."""
    return {
        "url": f"{site}/api/v3/repos/{name}/pulls/{record.number}",
        "html_url": f"{site}/{name}/pull/{record.number}",
        "id": record.number,
        "number": record.number,
        "state": record.state,
        "locked": False,
        "title": record.title,
        "body": record.body or None,
        "user": user(record.author),
        "draft": record.draft,
        "head": side(name, record.head, record.head_sha),
        "base": side(name, record.base, base_sha),
        "merge_commit_sha": record.merge_commit or None,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "closed_at": record.closed_at or None,
        "merged_at": record.closed_at if record.merged else None,
    }


def comment(record: Comment, site: str, name: str) -> Document:
    return {
        "id": record.id,
        "url": f"{site}/api/v3/repos/{name}/issues/comments/{record.id}",
        "html_url": f"{site}/{name}/pull/{record.number}#issuecomment-{record.id}",
        "issue_url": f"{site}/api/v3/repos/{name}/issues/{record.number}",
        "user": user(record.author),
        "body": record.body,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }


def status(record: Status, site: str, name: str) -> Document:
    return {
        "id": record.id,
        "url": f"{site}/api/v3/repos/{name}/statuses/{record.sha}",
        "state": record.state,
        "context": record.context,
        "description": record.description or None,
        "target_url": record.target_url or None,
        "creator": user(record.author),
        "created_at": record.created_at,
        "updated_at": record.created_at,
    }


def combined(states: list[str]) -> str:
    """The state of all contexts together: failure before pending before success; pending when there is none."""
    if {"failure", "error"} & set(states):
        return "failure"
    return "success" if states and set(states) == {"success"} else "pending"


def label(name: str) -> Document:
    return {"name": name, "color": "ededed", "default": False, "description": None}


def repository(site: str, name: str, branch: str, permissions: Mapping[str, bool]) -> Document:
    owner, _, short = name.partition("/")
    return {
        "id": 1,
        "name": short,
        "full_name": name,
        "owner": user(owner),
        "private": True,
        "url": f"{site}/api/v3/repos/{name}",
        "html_url": f"{site}/{name}",
        "clone_url": f"{site}/{name}.git",
        "ssh_url": f"git@{site.partition('://')[2].partition(':')[0]}:{name}.git",
        "default_branch": branch,
        "permissions": dict(permissions),
    }
