"""Who stands beside a release of one workload: sees from the stored objects how it goes on, and promotes what waits for a person."""

import asyncio
from collections.abc import Iterator
from typing import Any

from reconciler.kernel.plan import Patch
from reconciler.kube.client import path_of
from reconciler.rollouts import verbs
from reconciler_sandbox.apiserver.store import Store
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.rehearsal.virtual.folder import Workload
from reconciler_sandbox.rehearsal.virtual.script import Script

Manifest = dict[str, Any]
MOVING = ("Progressing", "Watching", "Pending", "Restoring")


class Attendant:
    """Reads the store without a call; time is the running loop's."""

    def __init__(self, store: Store, api: ApiClient, workload: Workload, script: Script) -> None:
        self._store = store
        self._api = api
        self._workload = workload
        self._script = script
        self._unpaused = 0.0

    def rollout(self) -> Manifest:
        """The Rollout as it is; empty before it is there."""
        entries = self._store.collection("argoproj.io", "rollouts").entries
        entry = entries.get((self._workload.namespace, self._workload.name))
        return entry.manifest if entry is not None else {}

    def releases(self) -> list[Manifest]:
        """The workload's releases, by name."""
        listed = self._store.collection("reconciler.dev", "releases").sorted(self._workload.namespace)
        return [entry.manifest for entry in listed if entry.manifest["spec"]["workload"]["name"] == self._workload.name]

    def released(self) -> set[str]:
        """The images of all releases of the workload."""
        return {image for release in self.releases() for image in release["spec"]["images"].values()}

    def goes_on(self, moving: tuple[str, ...] = MOVING[:3]) -> bool:
        """True while a release is under way, or a pause that ends by itself."""
        status = self.rollout().get("status") or {}
        if any(condition.get("reason") == "InconclusiveAnalysisRun" for condition in status.get("pauseConditions") or ()):
            return False  # only a person can say what an answer without data means
        return any(phase_of(r) in moving for r in self.releases()) or status.get("phase") in ("Progressing", "Paused")

    async def promote(self) -> None:
        """A pause without an end waits for a person, who comes after a while."""
        rollout, now = self.rollout(), asyncio.get_running_loop().time()
        if not rollout or not waits_for_a_person(rollout):
            self._unpaused = now
            return
        if now - self._unpaused >= self._script.promote_after.total_seconds():
            for patch in verbs.promote(rollout, full=False):
                await self._send(patch)

    def outcome(self) -> tuple[str, str]:
        """The verdict of the new version, `none` without one, and how its way back stands."""
        mine = [r for r in self.releases() if self._workload.new_image in r["spec"]["images"].values()]
        status = (mine[-1].get("status") or {}) if mine else {}
        return str(status.get("verdict", "none")), str((status.get("restore") or {}).get("state", ""))

    async def _send(self, patch: Patch) -> None:
        path = path_of(patch.ref.resource, patch.ref.namespace, patch.ref.name, patch.subresource)
        await self._api.patch(path, patch.body)


def phase_of(manifest: Manifest) -> str:
    """`status.phase`."""
    return str((manifest.get("status") or {}).get("phase", ""))


def git_words(workload: Workload, way_back: str, *, asked: bool) -> str:
    """What Git asks for in the end."""
    return f"asks for {workload.new_image if asked else workload.image}" + (f"; way back: {way_back}" if way_back else "")


def expectations_missed(script: Script, verdict: str) -> Iterator[str]:
    """What the script expected and did not get."""
    fits = script.verdict == "any" or verdict == script.verdict or (script.verdict == "not passed" and verdict != "passed")
    if not fits:
        yield f"expected the verdict {script.verdict!r}, and it is {verdict!r}"


def waits_for_a_person(rollout: Manifest) -> bool:
    """True for a pause that has no end of its own."""
    spec, status = rollout["spec"], rollout.get("status") or {}
    reasons = {condition.get("reason") for condition in status.get("pauseConditions") or ()}
    if "InconclusiveAnalysisRun" in reasons or not reasons:
        return False
    if "BlueGreenPause" in reasons:
        return not ((spec.get("strategy") or {}).get("blueGreen") or {}).get("autoPromotionSeconds")
    steps = ((spec.get("strategy") or {}).get("canary") or {}).get("steps") or []
    index = int(status.get("currentStepIndex") or 0)
    return index < len(steps) and "pause" in steps[index] and not (steps[index]["pause"] or {}).get("duration")
