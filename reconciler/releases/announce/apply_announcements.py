"""Tells the pull request and the commit how a release stands: one living comment per pull request and environment, one status.

What was told is remembered in the Release as a hash, so that a pass without news sends nothing.
"""

import hashlib
from collections.abc import Mapping

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.releases.announce.forge import Announcement, CommitState, Forge
from reconciler.releases.announce.markdown import marker
from reconciler.releases.announce.message import comment, commit_context, commit_description, commit_state
from reconciler.releases.announce.pages import page_of
from reconciler.releases.model import Release
from reconciler.rollouts.preview import preview_words
from reconciler.sources.model import Pull


class Announcements:
    """The forges of all sources by name; a source without one is told nothing."""

    def __init__(self, forges: Mapping[str, Forge], cache: Cache, console: str) -> None:
        """`console` is where people open the console; empty if they have none."""
        self._forges = forges
        self._cache = cache
        self._console = console

    async def pull_of(self, source: str, sha: str) -> Pull | None:
        """The pull request that brought a commit, if its forge knows one."""
        forge = self._forges.get(source)
        found = await forge.pull_of(sha) if forge else None
        return Pull(number=found.number, url=found.url, title=found.title) if found else None

    async def announce(self, release: Release, siblings: tuple[Release, ...]) -> str:
        """Say how it stands unless that was said already; returns what to remember.

        A commit has one status for a workload: it tells of the newest attempt, whichever of them has news.
        """
        forge = self._forges.get(release.spec.source)
        if forge is None or release.spec.baseline:
            return release.status.announced
        pull, newest = release.pull, newest_of(release, siblings)
        body = comment(release.spec.environment, siblings, {s.name: self._step(s) for s in siblings}, self._console)
        nowhere = "" if pull else "no pull request"  # one that is found later has to be told
        said = hashlib.sha256(f"{body}{commit_state(newest)}{commit_description(newest)}{nowhere}".encode()).hexdigest()[:16]
        if said == release.status.announced:
            return release.status.announced
        await forge.announce(
            Announcement(
                commit=release.spec.commit.sha,
                marker=marker(f"{release.spec.source}/{release.spec.environment}"),
                body=body,
                status=CommitState(commit_state(newest)),
                context=commit_context(release),
                description=commit_description(newest),
                pull=pull.number if pull else None,
                target_url=page_of(self._console, newest) or (pull.url if pull else ""),
            )
        )
        return said

    def _step(self, release: Release) -> str:
        """Where the rollout stands, for a release that is still on its way."""
        rollout = self._cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
        return step_words(rollout) if rollout is not None and not release.decided else ""


def newest_of(release: Release, siblings: tuple[Release, ...]) -> Release:
    """The newest attempt among them of what its commit asked of its workload."""
    place = (release.spec.commit.sha, commit_context(release))
    return max((release, *(s for s in siblings if (s.spec.commit.sha, commit_context(s)) == place)), key=lambda one: one.age)


def step_words(rollout: Manifest) -> str:
    """Step and weight in words; changes only when one of them does, so that a comment is not rewritten each second."""
    status = rollout.get("status") or {}
    steps = ((rollout["spec"].get("strategy") or {}).get("canary") or {}).get("steps") or []
    weights = ((status.get("canary") or {}).get("weights") or {}).get("canary") or {}
    parts = [
        f"step {status.get('currentStepIndex', 0)} of {len(steps)}" if steps else "",
        f"{weights['weight']} % of users on the new version" if "weight" in weights else "",
        str((status.get("pauseConditions") or [{}])[0].get("reason", "")),
        preview_words(rollout),
    ]
    return ", ".join(part for part in parts if part)
