"""The way back through kustomize: one commit in the file that set the value, and the rendered workload is the one that served before."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.resources import ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, RestoreState
from reconciler.sources.settings import Allow
from tests.kit.desk import KINDS, Desk, config, desk, rollout

IMAGE = "registry.example.com/web"
BASE = {"base/kustomization.yaml": "resources:\n  - web.yaml\n", "base/web.yaml": rollout(f"{IMAGE}:1.0")}
HEAD = "# who runs what\nresources: [../../base]  # shared\n"
Files = Mapping[str, str | bytes | None]


def tagged(tag: str, more: str = "") -> str:
    return f'{HEAD}images:\n  - name: {IMAGE}\n    newTag: "{tag}"  # by the bot\n{more}'


@pytest.fixture
async def prod(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, path="overlays/prod") as found:
        yield found


async def lost(shop: Desk, good: Files, bad: Files) -> Release:
    """A proven version, then one that the rollout layer sent home."""
    shop.push(good, "good")
    await shop.look()
    assert not await shop.problems()
    await shop.proven()
    shop.push(bad, "bad")
    await shop.look()
    await shop.lost()
    return parse_release((await shop.releases())[-1])


def state(release: Release) -> tuple[RestoreState, str]:
    assert release.status.restore is not None
    return release.status.restore.state, release.status.restore.message


OVERLAY = "overlays/prod/kustomization.yaml"
PATCH = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    "spec:\n  template:\n    metadata:\n      annotations: {level: %s}\n"
)
IN_PLACE = (
    f"{HEAD}patches:\n  - target: {{kind: Rollout}}\n    patch: |-\n"
    "      - op: replace\n        path: /spec/minReadySeconds\n        value: 1\n"
)
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - path: level.yaml\n"
USES = rollout(f"{IMAGE}:1.0", extra="          envFrom: [{configMapRef: {name: settings}}]\n")
NO_SUFFIX = "generatorOptions: {disableNameSuffixHash: true}\n"
NAMES = """nameReference:
  - kind: ConfigMap
    version: v1
    fieldSpecs:
      - {kind: Rollout, path: spec/template/spec/containers/envFrom/configMapRef/name}
"""
CASES: Mapping[str, tuple[Files, Files]] = {
    "a tag": ({OVERLAY: tagged("1.0")}, {OVERLAY: tagged("6.6.6")}),
    "a new name and a digest": (
        {OVERLAY: tagged("1.0")},
        {OVERLAY: HEAD + f"images:\n  - name: {IMAGE}\n    newName: mirror.example.com/web\n    digest: sha256:{'6' * 64}\n"},
    ),
    "an image added": ({OVERLAY: HEAD}, {OVERLAY: tagged("6.6.6")}),
    "an image taken out": ({OVERLAY: tagged("2.0")}, {OVERLAY: HEAD}),
    "a patch in a file": (
        {OVERLAY: HEAD + "patches:\n  - path: level.yaml\n", "overlays/prod/level.yaml": PATCH % "low"},
        {"overlays/prod/level.yaml": PATCH % "high"},
    ),
    "an image beside a JSON patch in place": ({OVERLAY: IN_PLACE}, {OVERLAY: f"{IN_PLACE}images:\n  - name: {IMAGE}\n    newTag: '6'\n"}),
    "a component": (
        {
            OVERLAY: HEAD + "components: [../../parts/level]\n",
            "parts/level/kustomization.yaml": COMPONENT,
            "parts/level/level.yaml": PATCH % "low",
        },
        {"parts/level/level.yaml": PATCH % "high"},
    ),
    "labels of a transformer stay": (
        {OVERLAY: tagged("1.0", "labels:\n  - pairs: {team: shop}\n    includeTemplates: true\n")},
        {OVERLAY: tagged("6.6.6", "labels:\n  - pairs: {team: shop}\n    includeTemplates: true\n")},
    ),
    "a generated ConfigMap of the same name": (
        {
            OVERLAY: f"{HEAD}configMapGenerator:\n  - {{name: settings, namespace: shop, files: [app.conf]}}\n{NO_SUFFIX}",
            "overlays/prod/app.conf": "workers = 2\n\n# the end\n",
            "base/web.yaml": USES,
        },
        {"overlays/prod/app.conf": "workers = 2000\n\n# the end\n"},
    ),
    "a generated ConfigMap with a hash in its name": (
        {
            OVERLAY: f"{HEAD}configurations: [names.yaml]\nconfigMapGenerator:\n  - {{name: settings, namespace: shop, literals: [a=1]}}\n",
            "overlays/prod/names.yaml": NAMES,
            "base/web.yaml": USES,
        },
        {OVERLAY: f"{HEAD}configurations: [names.yaml]\nconfigMapGenerator:\n  - {{name: settings, namespace: shop, literals: [a=2]}}\n"},
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_value_goes_back_where_it_was_set(prod: Desk, case: str) -> None:
    good, bad = CASES[case]
    before = {**BASE, **good}
    release = await lost(prod, before, bad)
    assert state(release) == (RestoreState.PUSHED, "")
    for name, content in before.items():
        assert prod.origin.read(name).decode() == content, name
    assert len(prod.origin.log("%H")) == 3 and release.spec.revert == "direct"
    assert {change.file for change in release.spec.changes} <= set(bad), "people are shown where it was really set"


async def test_a_file_that_moved_in_the_same_commit_stays_where_it_is(prod: Desk) -> None:
    moved = {"base/kustomization.yaml": "resources:\n  - rollout.yml\n", "base/web.yaml": None, "base/rollout.yml": rollout(f"{IMAGE}:1.0")}
    release = await lost(prod, {**BASE, OVERLAY: tagged("1.0")}, {**moved, OVERLAY: tagged("6.6.6")})
    assert state(release) == (RestoreState.PUSHED, "")
    assert prod.origin.read(OVERLAY).decode() == tagged("1.0")
    assert prod.origin.read("base/kustomization.yaml").decode() == moved["base/kustomization.yaml"]


async def test_a_base_that_others_share_is_proposed_and_says_who_else_would_move(prod: Desk) -> None:
    stage = {"overlays/stage/kustomization.yaml": HEAD, "overlays/dev/kustomization.yaml": tagged("dev")}
    release = await lost(prod, {**BASE, **stage, OVERLAY: HEAD}, {"base/web.yaml": rollout(f"{IMAGE}:6.6.6")})
    assert state(release) == (RestoreState.PROPOSED, "the edit would also change Rollout shop/web in overlays/stage")
    assert prod.origin.read("base/web.yaml").decode() == rollout(f"{IMAGE}:6.6.6")
    assert release.spec.revert == "proposal" and "overlays/stage" in release.spec.revert_reason


async def test_a_file_that_others_share_without_feeling_it_is_pushed(prod: Desk) -> None:
    dev = {"overlays/dev/kustomization.yaml": tagged("dev")}
    release = await lost(prod, {**BASE, **dev, OVERLAY: HEAD}, {"base/web.yaml": rollout(f"{IMAGE}:6.6.6")})
    assert state(release) == (RestoreState.PUSHED, "")
    assert prod.origin.read("base/web.yaml").decode() == rollout(f"{IMAGE}:1.0")


async def test_a_value_that_another_object_holds_is_proposed_and_names_it(prod: Desk) -> None:
    replacement = (
        HEAD + "replacements:\n  - source: {kind: ConfigMap, name: versions, fieldPath: data.web}\n"
        "    targets:\n      - select: {kind: Rollout}\n        fieldPaths: ['spec.template.spec.containers.[name=web].image']\n"
    )
    good = {**BASE, OVERLAY: replacement, "base/kustomization.yaml": "resources: [web.yaml, versions.yaml]\n"}
    good["base/versions.yaml"] = config("versions", f"{IMAGE}:1.0", key="web")
    release = await lost(prod, good, {"base/versions.yaml": config("versions", f"{IMAGE}:6.6.6", key="web")})
    assert state(release) == (RestoreState.PROPOSED, "the edit would also change ConfigMap shop/versions")


async def test_what_others_changed_in_the_same_commit_stays(prod: Desk) -> None:
    other = config("other", "1"), config("other", "2")
    good = {**BASE, OVERLAY: tagged("1.0", "labels: []\n"), "base/kustomization.yaml": "resources: [web.yaml, other.yaml]\n"}
    bad = {OVERLAY: tagged("6.6.6", "commonAnnotations: {}\n"), "base/other.yaml": other[1]}
    release = await lost(prod, {**good, "base/other.yaml": other[0]}, bad)
    assert state(release) == (RestoreState.PUSHED, "")
    assert prod.origin.read("base/other.yaml").decode() == other[1]
    assert prod.origin.read(OVERLAY).decode() == tagged("1.0", "commonAnnotations: {}\n")


async def test_another_value_at_the_tip_is_left_alone(prod: Desk) -> None:
    prod.push({**BASE, OVERLAY: tagged("1.0")})
    await prod.look()
    await prod.proven()
    prod.push({OVERLAY: tagged("6.6.6")})
    await prod.look()
    prod.push({OVERLAY: tagged("7.0")})
    await prod.lost()
    release = parse_release((await prod.releases())[1])
    assert state(release)[0] is RestoreState.SUPERSEDED
    assert prod.origin.read(OVERLAY).decode() == tagged("7.0")


async def test_a_tip_that_cannot_be_rendered_is_waited_for_and_nothing_is_pruned(prod: Desk) -> None:
    prod.push({**BASE, OVERLAY: tagged("1.0")})
    await prod.look()
    await prod.proven()
    prod.push({OVERLAY: tagged("6.6.6")})
    await prod.look()
    prod.push({OVERLAY: tagged("6.6.6", "resources: [again.yaml]\n")})
    await prod.look()
    with pytest.raises(Transient, match=r"cannot be read: overlays/prod/kustomization\.yaml:6: the key resources is written twice"):
        await prod.lost()
    release = parse_release((await prod.releases())[-1])
    assert state(release)[0] is RestoreState.WANTED and OVERLAY in state(release)[1]
    assert OVERLAY in await prod.problems()
    prod.push({OVERLAY: tagged("6.6.6")})
    await prod.look()
    await prod.judge()
    assert prod.origin.read(OVERLAY).decode() == tagged("1.0")


async def test_a_secret_is_restored_and_never_shown(tmp_path: Path) -> None:
    def with_secret(value: str) -> str:
        return f"{HEAD}secretGenerator:\n  - name: token\n    namespace: shop\n    literals: [token={value}]\n{NO_SUFFIX}"

    uses = rollout(f"{IMAGE}:1.0", extra="          envFrom: [{secretRef: {name: token}}]\n")
    async with desk(tmp_path, path="overlays/prod", allow=Allow(namespaces=("shop",), kinds=(*KINDS, "Secret"))) as prod:
        release = await lost(prod, {**BASE, "base/web.yaml": uses, OVERLAY: with_secret("hunter2")}, {OVERLAY: with_secret("hunter3")})
        assert state(release) == (RestoreState.PUSHED, "")
        assert prod.origin.read(OVERLAY).decode() == with_secret("hunter2")
        told = "\n".join((*prod.origin.log("%B"), str(await prod.releases()), await prod.problems(), str(await prod.posted())))
        assert "hunter" not in told and "(hidden)" in told


async def test_a_value_that_becomes_a_secret_is_never_shown_wherever_it_is_written(tmp_path: Path) -> None:
    """Not where it stands but what is made from it says so: here a patch of a few words, and no word in it says Secret."""

    def patched(value: str, tag: str) -> str:
        patch = f'[{{"op": "replace", "path": "/stringData/token", "value": "{value}"}}]'
        return f"{tagged(tag)}patches:\n  - target: {{name: token}}\n    patch: '{patch}'\n"

    made = "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop}\nstringData: {token: nothing}\n"
    uses = rollout(f"{IMAGE}:1.0", extra="          envFrom: [{secretRef: {name: token}}]\n")
    base = {**BASE, "base/web.yaml": uses, "base/token.yaml": made, "base/kustomization.yaml": "resources: [web.yaml, token.yaml]\n"}
    async with desk(tmp_path, path="overlays/prod", allow=Allow(namespaces=("shop",), kinds=(*KINDS, "Secret"))) as prod:
        release = await lost(prod, {**base, OVERLAY: patched("hunter2", "1.0")}, {OVERLAY: patched("hunter3", "6.6.6")})
        assert state(release) == (RestoreState.PUSHED, "")
        assert prod.origin.read(OVERLAY).decode() == patched("hunter2", "1.0")
        told = "\n".join((*prod.origin.log("%B"), str(await prod.releases()), await prod.problems(), str(await prod.posted())))
        assert "hunter" not in told and "(hidden)" in told and "6.6.6" in told, "what no Secret feels is shown"


async def test_a_folder_that_lost_its_kustomization_is_not_read_as_plain_files(prod: Desk) -> None:
    patched = {OVERLAY: HEAD + "patches:\n  - path: level.yaml\n", "overlays/prod/level.yaml": PATCH % "low"}
    prod.push({**BASE, **patched})
    await prod.look()
    await prod.proven()
    before = await prod.found(ROLLOUTS, "web")
    prod.push({OVERLAY: None})
    await prod.look()
    assert "was rendered by kustomize until commit" in await prod.problems() and "renderer: plain" in await prod.problems()
    assert await prod.found(ROLLOUTS, "web") == before and len(await prod.releases()) == 1
    prod.push({OVERLAY: patched[OVERLAY]})
    await prod.look()
    assert not await prod.problems()
