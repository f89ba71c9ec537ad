"""A source with hooks and a cluster that ends them, one pass after the other, nothing written anywhere."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.plan import Create, Patch, Remove
from reconciler.kernel.resources import JOBS
from reconciler.sources.inventory import Inventory, InventoryEntry, Place
from reconciler.sources.settings import Allow
from reconciler.sources.source_port import Tip
from reconciler.sources.syncrun import SyncRun
from reconciler.sync.facts import SourceFacts
from reconciler.sync.hooks import next_run
from reconciler.sync.plan import SourcePlan, plan
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import KINDS as ALLOWED
from tests.kit.desk import SETTINGS
from tests.kit.manifests import parsed
from tests.kit.sourcefacts import KINDS, SHOP

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOOK = "argocd.argoproj.io/hook"
PODS = Resource("", "v1", "pods", "Pod")
SERVED = {**KINDS, ("batch/v1", "Job"): JOBS, ("v1", "Pod"): PODS}
ALLOW = Allow(namespaces=(NAMESPACE,), kinds=(*ALLOWED, "Job.batch", "Pod"))
MINE = replace(SETTINGS, allow=ALLOW)
DONE = {"conditions": [{"type": "Complete", "status": "True"}]}
LOST = {"conditions": [{"type": "Failed", "status": "True", "message": "too many tries"}]}


def job(name: str, phase: str = "PreSync", *, key: str = "name", kind: str = "batch/v1, Job", **annotations: str) -> str:
    version, kind = kind.split(", ")
    marks = "".join(f"    {name}: '{value}'\n" for name, value in {HOOK: phase, **annotations}.items())
    metadata = f"metadata:\n  {key}: {name}\n  namespace: {NAMESPACE}\n  annotations:\n{marks}"
    return f"apiVersion: {version}\nkind: {kind}\n{metadata}spec: {{}}\n"


class World:
    """A source and a cluster, one pass after the other, nothing written anywhere."""

    def __init__(self, files: dict[str, str], **settings: Any) -> None:
        self.settings = replace(MINE, **settings)
        self.live: dict[Place, Manifest] = {}
        self.inventory = Inventory()
        self.made: list[str] = []
        self.now = NOW
        self.push(files)

    def push(self, files: dict[str, str], commit: str = "c1") -> None:
        self.tip = Tip(commit, parsed(**files))

    def facts(self) -> SourceFacts:
        run = next_run(self.settings, self.tip, self.inventory.run)
        inventory = replace(self.inventory, run=run)
        known: dict[str, Any] = {"autoscalers": {NAMESPACE: ()}, "namespaces": {NAMESPACE: SHOP}, "resources": SERVED}
        return SourceFacts(settings=self.settings, tip=self.tip, inventory=inventory, live=dict(self.live), **known)

    def step(self) -> SourcePlan:
        """One pass: think, and do all of it."""
        facts = self.facts()
        thought = plan(facts, self.now)
        assert thought == plan(self.facts(), self.now), "the same facts, the same plan"
        for step in thought.hooks:
            for action in step.actions:
                self._do(step.place, action)
        for write in (write for wave in thought.waves for write in wave):
            assert isinstance(write.patch.body, dict)
            self._put(write.place, write.patch.body)
        entries = {entry.place: entry for entry in self.inventory.entries if entry.place not in thought.gone}
        entries |= {place: InventoryEntry(place, uid, file) for place, uid, file in thought.seen}
        self.inventory = replace(facts.inventory, run=thought.run, wave=thought.wave, entries=tuple(entries.values()))
        return thought

    def _do(self, place: Place, action: Any) -> None:
        if isinstance(action, Create):
            assert place not in self.live
            self.made.append(place[3])
            self._put(place, action.manifest)
        elif isinstance(action, Patch):
            assert isinstance(action.body, dict)
            self.live[place] = {**self.live[place], "metadata": {**self.live[place]["metadata"], **action.body["metadata"]}}
            if self.live[place]["metadata"].get("deletionTimestamp"):
                self.live.pop(place)
        else:
            assert isinstance(action, Remove) and action.uid == self.live[place]["metadata"]["uid"]
            self.live.pop(place)

    def _put(self, place: Place, manifest: Manifest) -> None:
        metadata = {**manifest["metadata"], "uid": f"{place[3]}-{len(self.made)}", "resourceVersion": "1"}
        self.live[place] = {**manifest, "metadata": metadata}

    def ends(self, name: str, status: Any = DONE) -> None:
        place = next(place for place in self.live if place[3] == name)
        self.live[place] = {**self.live[place], "status": status}

    def deleted(self, name: str) -> None:
        """A person or the TTL deletes it: at once, unless something holds it."""
        place = next(place for place in self.live if place[3] == name)
        if self.live[place]["metadata"].get("finalizers"):
            self.live[place]["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
        else:
            self.live.pop(place)

    @property
    def names(self) -> set[str]:
        return {place[3] for place in self.live}

    @property
    def run(self) -> SyncRun:
        assert self.inventory.run is not None
        return self.inventory.run

    def states(self) -> list[str]:
        return [record.state.value for record in self.run.hooks]
