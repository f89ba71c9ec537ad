"""Appliers that are not ours: they mark what they apply and look at Git now and then.

Argo CD heals live drift at once. Flux's Kustomization does so at its interval, and what `spec.ignore` names is left out of what it applies
(fluxcd/pkg#1157): where something else of the object differs, a list is written without it.
"""

import asyncio
import contextlib
import copy
import re
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


KUSTOMIZATION = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/reconciler/kustomizations/shop"
FLUX = {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "reconciler"}


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
    flux: bool = False
    """Whether it is Flux: `spec.ignore` of its Kustomization is read at each look."""
    written: dict[str, int] = field(default_factory=dict)
    asked: list[Manifest] = field(default_factory=list)
    rules: list[Manifest] = field(default_factory=list)

    async def run(self) -> None:
        """For ever: a look at Git, then healing until the next one."""
        loop = asyncio.get_running_loop()
        looked = float("-inf")
        while True:
            due = loop.time() - looked >= self.every
            if due:
                self.asked, self.rules, looked = await self._git(), await self._rules(), loop.time()
            for wanted in self.asked if due or not self.flux else ():
                with contextlib.suppress(ApiError):
                    await self._heal(wanted)
            await asyncio.sleep(0.2)

    async def _git(self) -> list[Manifest]:
        texts = {name: await self.host.read(REPOSITORY, name, "main") for name in self.files}
        if self.folder:
            options = RenderOptions(path=self.folder)
            return [located.manifest for located in (await KustomizeRenderer(options).render(Snapshot("", "", texts))).manifests]
        return [manifest for text in texts.values() for manifest in yaml.safe_load_all(text) if manifest]

    async def _rules(self) -> list[Manifest]:
        found = await self.api.get(KUSTOMIZATION) if self.flux else None
        return list(((found or {}).get("spec") or {}).get("ignore") or ())

    async def _heal(self, wanted: Manifest) -> None:
        metadata = wanted["metadata"]
        folder = PLURALS[wanted["kind"]].format(metadata["namespace"])
        live = await self.api.get(f"{folder}/{metadata['name']}")
        marks = self._marks(wanted)
        if live is None:
            await self.api.create(folder, {**wanted, "metadata": {**metadata, **marks}})
        elif _holds({"metadata": marks, "spec": self._own(wanted)}, live):
            return
        else:
            await self.api.patch(f"{folder}/{metadata['name']}", {"metadata": marks, "spec": self._own(wanted)})
        self.written[metadata["name"]] = self.written.get(metadata["name"], 0) + 1

    def _marks(self, wanted: Manifest) -> Manifest:
        """What says who applies an object."""
        metadata = wanted["metadata"]
        if self.flux:
            return {"labels": {**(metadata.get("labels") or {}), **FLUX}}
        return {"annotations": {**(metadata.get("annotations") or {}), TRACKING: f"shop:{wanted['kind']}/{metadata['name']}"}}

    def _own(self, wanted: Manifest) -> Manifest:
        """The spec without what is left to others where the object is there already."""
        spec = wanted.get("spec") or {}
        if not self.flux:
            return {key: value for key, value in spec.items() if key not in IGNORED.get(wanted["kind"], ())}
        whole = {"spec": copy.deepcopy(spec)}
        for rule in self.rules:
            target = rule["target"]
            if target["kind"] == wanted["kind"] and re.fullmatch(target["name"], wanted["metadata"]["name"]):
                for path in rule["paths"]:
                    _remove(whole, path.split("/")[1:])
        return whole["spec"]


def _remove(value: Any, parts: list[str]) -> None:
    """Take out what a JSON pointer names, if it is there."""
    *outer, last = parts
    for part in outer:
        value = value[int(part)] if isinstance(value, list) else value.get(part, {})
    if isinstance(value, dict):
        value.pop(last, None)


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
