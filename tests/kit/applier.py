"""An applier that is not ours, as Argo CD is one: it tracks what it applies, looks at Git now and then, and heals live drift at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml
from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.githost.host import GitHost
from reconciler_sandbox.rehearsal.fittings import REPOSITORY

from reconciler.git.objects import Snapshot
from reconciler.renderers.kustomize import KustomizeRenderer
from reconciler.sources.renderer import RenderOptions

Manifest = dict[str, Any]
PLURALS = {
    "Rollout": "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts",
    "AnalysisTemplate": "/apis/argoproj.io/v1alpha1/namespaces/{}/analysistemplates",
    "VirtualService": "/apis/networking.istio.io/v1/namespaces/{}/virtualservices",
    "Service": "/api/v1/namespaces/{}/services",
    "ReleasePolicy": "/apis/reconciler.dev/v1alpha1/namespaces/{}/releasepolicies",
}
TRACKING = "argocd.argoproj.io/tracking-id"
IGNORED = {"Service": ("selector",), "VirtualService": ("http",)}
"""What a team tells its applier to leave to the rollout controller."""


@dataclass
class Applier:
    """Applies some files of a repository. `every` is how many seconds pass between two looks at Git; drift is healed in between.

    `written` counts what it wrote by name of the object; nobody else's writes are in it.
    """

    api: ApiClient
    host: GitHost
    files: tuple[str, ...]
    every: float = 3.0
    folder: str = ""
    """A folder with a kustomization among the files: then what it is rendered to is applied."""
    written: dict[str, int] = field(default_factory=dict)
    asked: list[Manifest] = field(default_factory=list)

    async def run(self) -> None:
        """For ever: a look at Git, then healing until the next one."""
        loop = asyncio.get_running_loop()
        looked = float("-inf")
        while True:
            if loop.time() - looked >= self.every:
                self.asked, looked = await self._git(), loop.time()
            for wanted in self.asked:
                with contextlib.suppress(ApiError):
                    await self._heal(wanted)
            await asyncio.sleep(0.2)

    async def _git(self) -> list[Manifest]:
        texts = {name: await self.host.read(REPOSITORY, name, "main") for name in self.files}
        if self.folder:
            options = RenderOptions(path=self.folder)
            return [located.manifest for located in (await KustomizeRenderer(options).render(Snapshot("", "", texts))).manifests]
        return [manifest for text in texts.values() for manifest in yaml.safe_load_all(text) if manifest]

    async def _heal(self, wanted: Manifest) -> None:
        metadata = wanted["metadata"]
        folder = PLURALS[wanted["kind"]].format(metadata["namespace"])
        live = await self.api.get(f"{folder}/{metadata['name']}")
        ignored = IGNORED.get(wanted["kind"], ())
        spec = {key: value for key, value in (wanted.get("spec") or {}).items() if live is None or key not in ignored}
        tracked = {
            **metadata,
            "annotations": {**(metadata.get("annotations") or {}), TRACKING: f"shop:{wanted['kind']}/{metadata['name']}"},
        }
        if live is None:
            await self.api.create(folder, {**wanted, "metadata": tracked})
        elif _holds(spec, live.get("spec")) and TRACKING in (live["metadata"].get("annotations") or {}):
            return
        else:
            annotations = {"annotations": tracked["annotations"]}
            await self.api.patch(f"{folder}/{metadata['name']}", {"metadata": annotations, "spec": spec})
        self.written[metadata["name"]] = self.written.get(metadata["name"], 0) + 1


def _holds(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(_holds(value, live.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(wanted) == len(live) and all(map(_holds, wanted, live))
    return bool(wanted == live)


@asynccontextmanager
async def applying(applier: Applier) -> AsyncIterator[Applier]:
    """The applier at work."""
    task = asyncio.create_task(applier.run())
    try:
        yield applier
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
