"""Random bad commits in a repository of overlays, by seed: what is written back is exactly what made the difference for one workload.

`WAYS_BACK=1000` plays more of them than the suite does.
"""

import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from reconciler.renderers.registry import renderer
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Caution, Direct, ProposedEdit
from reconciler.sources.follow import GitSource
from reconciler.sources.model import WorkloadId
from reconciler.sources.renderer import render_options
from reconciler.sources.rewrites import moved_objects, rewrites
from reconciler.sources.templates import identity, workloads
from tests.kit.desk import SETTINGS, rollout
from tests.kit.repositories import Origin

SEEDS = range(int(os.environ.get("WAYS_BACK", "12")))
WEB = WorkloadId("Rollout", "shop", "web")
OWN = ("tag", "name", "patch", "operation", "component", "file")
"""Values that count for the workload in its own environment and nowhere else."""
SHARED = ("base",)
"""Values that count for the workload in two environments."""
OTHERS = ("api", "note", "stage", "comment")
"""Values that do not count for the workload."""
Values = Mapping[str, str]


def files(values: Values) -> dict[str, str]:
    """A repository with one base, a component and two environments, in which every value stands once."""
    names = ("web", "api")
    variable = f"          env: [{{name: LEVEL, value: '{values['base']}'}}]\n          envFrom: [{{configMapRef: {{name: settings}}}}]\n"
    annotated = (
        "kind: Rollout\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    metadata:\n"
    )
    return {
        "base/kustomization.yaml": f"resources: [{', '.join(f'{name}.yaml' for name in names)}]\n",
        "base/web.yaml": rollout(extra=variable),
        "base/api.yaml": rollout("registry.example.com/api:1.0", name="api"),
        "parts/level/kustomization.yaml": (
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n"
            f"  - patch: |-\n      {annotated.replace(chr(10), chr(10) + '      ').rstrip()}\n"
            f"            annotations:\n              component: 'c{values['component']}'\n"
        ),
        "overlays/prod/kustomization.yaml": (
            f"# says nothing: {values['comment']}\n"
            "resources:\n  - ../../base\ncomponents: [../../parts/level]\n"
            "generatorOptions: {disableNameSuffixHash: true}\n"
            "configMapGenerator:\n  - {name: settings, namespace: shop, files: [app.conf]}\n"
            f"  - {{name: notes, namespace: shop, literals: [note={values['note']}]}}\n"
            "images:\n"
            f"  - name: registry.example.com/web   # ours\n    newName: registry.example.com/web-{values['name']}\n"
            f'    newTag: "{values["tag"]}"\n'
            f"  - {{name: registry.example.com/api, newTag: '{values['api']}'}}\n"
            "patches:\n  - path: level.yaml\n"
            "  - target: {kind: Rollout, name: web}\n    patch: |-\n"
            "      - op: add\n        path: /spec/template/spec/terminationGracePeriodSeconds\n"
            f"        value: {values['operation']}\n"
        ),
        "overlays/prod/level.yaml": f"{annotated}      annotations: {{patch: 'p{values['patch']}'}} # kept\n",
        "overlays/prod/app.conf": f"workers = {values['file']}\n\n# end",
        "overlays/stage/kustomization.yaml": (
            f"resources: [../../base]\nimages:\n- name: registry.example.com/web\n  newTag: '{values['stage']}'\n"
        ),
    }


@asynccontextmanager
async def followed(folder: Path, origin: Origin) -> AsyncIterator[GitSource]:
    mirror = Mirror(folder / "mirror", remote_of(origin.url), folder / "home")
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            settings = replace(SETTINGS, repository=origin.url, path="overlays/prod")
            yield GitSource(settings, mirror, RemoteRefs(http, mirror.runner), renderer("", render_options(settings)), {})
    finally:
        mirror.close()


async def pushed(source: GitSource, origin: Origin, contents: Mapping[str, str | bytes | None]) -> Parsed:
    origin.commit(contents)
    parsed = (await source.tip()).parsed
    assert not parsed.problems
    return parsed


def asked(parsed: Parsed) -> str:
    return identity(parsed, workloads(parsed)[WEB])


@pytest.mark.parametrize("seed", SEEDS)
async def test_exactly_what_made_the_difference_goes_back(tmp_path: Path, seed: int) -> None:
    chance, origin = random.Random(seed), Origin(tmp_path / "origin.git")
    first = {name: str(chance.randint(100, 999)) for name in (*OWN, *SHARED, *OTHERS)}
    own = chance.sample(OWN, chance.randint(1, 3))
    shared = [name for name in SHARED if chance.random() < 0.25]
    moved = {name: str(chance.randint(1000, 9999)) for name in (*own, *shared, *chance.sample(OTHERS, chance.randint(1, 4)))}
    async with followed(tmp_path, origin) as source:
        good = await pushed(source, origin, files(first))
        bad = await pushed(source, origin, files({**first, **moved}))
        later = {"comment": "later"} if chance.random() < 0.5 else {}
        tip = await pushed(source, origin, files({**first, **moved, **later, "api": str(chance.randint(10000, 99999))}))
        now = {name: origin.read(name).decode() for name in files(first)}
        outcome = await source.answered(rewrites(good, bad, tip, WEB), tip)
        assert isinstance(outcome, ProposedEdit if shared else Direct), outcome
        if isinstance(outcome, ProposedEdit):
            assert outcome.caution is Caution.SHARED and "overlays/stage" in str(outcome)
        written = {name: content.decode() for name, content in outcome.edit.files.items()}
        for name in (*own, *shared):
            now = {file: text.replace(moved[name], first[name]) for file, text in now.items()}
        assert written == {file: now[file] for file in written}, "nothing else moves in the files that are edited"
        after = await pushed(source, origin, dict(written))
        assert asked(after) == asked(good) != asked(bad)
        assert set(moved_objects(tip, after)) <= {"Rollout shop/web", "ConfigMap shop/settings"}
        assert {file: origin.read(file).decode() for file in now} == now
