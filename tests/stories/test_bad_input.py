"""Whatever people push, and whatever a repository does: a clear word where it concerns, everything else goes on, nothing is lost.

One daemon follows a good source, into which one commit brings every kind of broken file beside a good version, and five sources that
cannot be followed as they should.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from reconciler_sandbox.rehearsal.fittings import REPOSITORY, secret_file
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.app.cli.cluster import ClusterPlace
from reconciler.app.cli.explaining import explained
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from tests.kit.killing import Life, alive
from tests.kit.manifests import deployment
from tests.kit.repositories import git
from tests.kit.shop import ANN, FOLDER, IMAGE, ROLLOUT_FILE, Shop, rollout, shop
from tests.kit.wait import until

DEADLINE = 90.0
CONFIGMAPS, EVENTS = "/api/v1/namespaces/shop/configmaps", "/api/v1/namespaces/reconciler/events"
INVENTORIES = "/api/v1/namespaces/reconciler/configmaps"
TROUBLED = ("away", "locked", "gone", "forced", "emptied")


def config(name: str, more: str = "") -> bytes:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop{more}}}\ndata: {{a: '1'}}\n".encode()


def canary(name: str, extra: str) -> bytes:
    """A Rollout that wants something that is not there."""
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  replicas: 1\n"
        f"  selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n"
        f"      containers:\n        - {{name: {name}, image: '{IMAGE}:1'}}\n  strategy:\n    canary:\n{extra}"
    ).encode()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
POLICY = """\
apiVersion: reconciler.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: search, namespace: shop}
spec:
  workloads: [{kind: Deployment, name: search}]
  rollout: {strategy: {canary: {steps: [{setWeight: 50}]}}}
"""
SCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "search", "namespace": "shop"},
    "spec": {"maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "search"}},
}
BROKEN: Mapping[str, bytes] = {
    "malformed.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n",
    "unknown.yaml": b"apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\n",
    "one.yaml": config("twice"),
    "two.yaml": config("twice"),
    "no-service.yaml": canary(
        "no-service", "      canaryService: absent\n      stableService: absent-too\n      steps: [{setWeight: 50}]\n"
    ),
    "no-template.yaml": canary(
        "no-template", "      analysis:\n        templates: [{templateName: absent}]\n      steps: [{setWeight: 50}]\n"
    ),
    "large.yaml": b"# " + b"x" * (10 << 20),
    "bomb.yaml": BOMB.encode(),
    "binding.yaml": b"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: mine}\n",
    "forged.yaml": b"apiVersion: reconciler.dev/v1alpha1\nkind: Release\nmetadata: {name: forged, namespace: shop}\nspec: {}\n",
    "tracked.yaml": config("tracked", ", labels: {ours: yes-please}"),
    "search.yaml": deployment("search", f"{IMAGE}:1", replicas=1).encode(),
    "policy.yaml": POLICY.encode(),
}
# What the source's record must say of each; the two Rollouts are applied, and say it themselves.
SAID = (
    "malformed.yaml:",
    "unknown.yaml:1: Widget shop/w: kind Widget.example.com is not in this source's allow.kinds",
    "two.yaml:1: ConfigMap shop/twice is also in",
    "large.yaml",
    "bomb.yaml:",
    "out.yaml",
    "ClusterRoleBinding (cluster)/mine: kind ClusterRoleBinding.rbac.authorization.k8s.io is not in",
    "Release shop/forged: kind Release.reconciler.dev is not in",
    "ConfigMap tracked is applied by Argo CD already",
    "Deployment shop/search is not adopted: HorizontalPodAutoscaler search owns its replicas",
)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(tmp_path) as found:
        await prepare(found, tmp_path)
        yield found


async def prepare(place: Shop, folder: Path) -> None:
    """Five more repositories, and the daemon told to follow them all; `away` is not even there, `locked` has a wrong password."""
    document = yaml.safe_load(place.ground.settings_file.read_text())
    wrong = secret_file(folder / "wrong", "not the password")
    for name in TROUBLED:
        if name != "away":
            files = {f"{FOLDER}/{name}-{number}.yaml": config(f"{name}-{number}") for number in range(3)}
            await place.host.create_repository(f"shop/{name}", files, author=ANN)
        source = {**document["sources"][0], "name": name, "repository": place.host.clone_url(f"shop/{name}")}
        del source["forge"]
        if name == "locked":
            source["credentials"] = {**source["credentials"], "passwordFile": str(wrong)}
        document["sources"].append(source)
    document["sources"][0]["allow"]["kinds"].append("HorizontalPodAutoscaler.autoscaling")
    place.ground.settings_file.write_text(yaml.safe_dump(document))


async def inventory(place: Shop, source: str) -> Mapping[str, str]:
    found = await place.api.get(f"{INVENTORIES}/reconciler-source-{source}") or {}
    return found.get("data") or {}


async def said(place: Shop, source: str, *words: str) -> None:
    """Wait until a source's record says all of this."""
    missing: list[str] = []

    async def all_said() -> bool:
        problems = (await inventory(place, source)).get("problems", "")
        missing[:] = [word for word in words if word not in problems]
        return not missing

    await until(all_said, DEADLINE)
    assert not missing


async def living(place: Shop, prefix: str) -> set[str]:
    return {m["metadata"]["name"] for m in await place.api.list(CONFIGMAPS) if m["metadata"]["name"].startswith(prefix)}


async def settled(place: Shop, life: Life, version: str) -> None:
    async def reached() -> bool:
        life.raise_failure()
        return await place.settled_at(version)

    await until(reached, DEADLINE)


async def explanation(place: Shop, name: str) -> Any:
    transport = DirectTransport(place.ground.server.call)
    return await explained(Client(transport, Fence()), ClusterPlace(namespace="shop"), name)


async def condition(place: Shop, name: str) -> str:
    """What a Rollout's InvalidSpec condition says; empty while there is none."""
    found = await place.api.get(f"/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/{name}") or {}
    conditions = (found.get("status") or {}).get("conditions") or []
    return next((str(c["message"]) for c in conditions if c["type"] == "InvalidSpec"), "")


def out_of_the_tree(place: Shop) -> None:
    """A symbolic link that leaves the repository."""
    folder = place.host.repository(REPOSITORY).folder
    head = git(folder, "rev-parse", "refs/heads/main").decode().strip()
    target = b"../../../../../../etc/passwd"
    stream = f"commit refs/heads/main\ncommitter Ann <ann@example.com> now\ndata 4\nlink\nfrom {head}\n".encode()
    stream += f"M 120000 inline {FOLDER}/out.yaml\ndata {len(target)}\n".encode() + target + b"\n"
    git(folder, "fast-import", "--quiet", "--date-format=now", stdin=stream)


async def spoil(place: Shop) -> None:
    """What happens to the five repositories while they are followed."""
    gone, forced = place.host.repository("shop/gone"), place.host.repository("shop/forced")
    await gone.remove("refs/heads/main")
    unrelated = git(forced.folder, "fast-import", "--quiet", "--force", stdin=unrelated_history())
    assert unrelated == b""
    files = {f"{FOLDER}/emptied-{number}.yaml": None for number in range(3)}
    await place.host.push_files("shop/emptied", "main", {**files, "README.md": b"moved"}, "Empty the folder", ANN)


def unrelated_history() -> bytes:
    """One commit that replaces everything, with two of the three files."""
    stream = b"commit refs/heads/main\ncommitter Ann <ann@example.com> 1700000000 +0000\ndata 3\nnew\n"
    for number in range(2):
        content = config(f"forced-{number}")
        stream += f"M 100644 inline {FOLDER}/forced-{number}.yaml\ndata {len(content)}\n".encode() + content + b"\n"
    return stream


@pytest.mark.timeout(240)
async def test_broken_input_costs_itself_and_nothing_else(place: Shop) -> None:
    async with alive(place.ground) as life:
        await settled(place, life, "1")
        await place.write({f"{FOLDER}/leaving.yaml": config("leaving")}, "A ConfigMap")
        await until(lambda: living_is(place, "leaving", {"leaving"}), DEADLINE)
        tracked = {"annotations": {"argocd.argoproj.io/tracking-id": "app:/ConfigMap:shop/tracked"}}
        await place.api.create(CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tracked", **tracked}})
        await place.api.create("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers", SCALER)
        await said(place, "away", "cannot be read: ")
        await said(place, "locked", "cannot be read: ")
        for name in ("gone", "forced", "emptied"):
            await until(lambda name=name: living_is(place, name, {f"{name}-{n}" for n in range(3)}), DEADLINE)

        await spoil(place)
        out_of_the_tree(place)
        broken = {f"{FOLDER}/{name}": content for name, content in BROKEN.items()}
        await place.write({**broken, f"{FOLDER}/leaving.yaml": None, ROLLOUT_FILE: rollout("2")}, "Everything at once")

        await settled(place, life, "2")
        await said(place, "shop", *SAID)
        await until(lambda: is_said(place, "no-service", "absent"), DEADLINE)
        await until(lambda: is_said(place, "no-template", "absent"), DEADLINE)
        await said(place, "gone", "cannot be read: ", "has no branch 'main'")
        await said(place, "emptied", "cannot be read: ", "there is no folder", "nothing is applied or pruned until it is back")
        await until(lambda: is_at(place, "forced"), DEADLINE)

        await nothing_was_lost(place)
        await people_see_it(place)


async def living_is(place: Shop, prefix: str, names: set[str]) -> bool:
    return await living(place, prefix) == names


async def is_said(place: Shop, name: str, word: str) -> bool:
    return word in await condition(place, name)


async def is_at(place: Shop, source: str) -> bool:
    tip = await place.host.repository(f"shop/{source}").tip("main")
    return (await inventory(place, source)).get("commit") == tip


async def nothing_was_lost(place: Shop) -> None:
    """Nothing pruned, nothing restored, nothing forged; what is somebody else's is theirs."""
    for name in ("gone", "forced", "emptied"):
        assert await living(place, name) == {f"{name}-{number}" for number in range(3)}
    assert await living(place, "leaving") == {"leaving"} and await living(place, "twice") == set()
    assert await place.restores() == 0
    assert "forged" not in await place.release_names()
    theirs = await place.api.get(f"{CONFIGMAPS}/tracked") or {}
    assert "labels" not in theirs["metadata"]
    assert await place.api.get("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/search") is None


async def people_see_it(place: Shop) -> None:
    """Events on the sources, and `explain`."""
    told = [(e["involvedObject"]["name"], e["message"]) for e in await place.api.list(EVENTS) if e["reason"] == "SourceProblem"]
    for source in ("shop", "away", "locked", "gone", "emptied"):
        assert any(about == f"reconciler-source-{source}" for about, _ in told), source
    assert "absent" in (await explanation(place, "no-service")).sentence
    assert "absent" in (await explanation(place, "no-template")).sentence
    adopted = await explanation(place, "search")
    assert adopted.sentence.startswith("There is no Rollout shop/search") and "HorizontalPodAutoscaler search" in adopted.sentence
    assert any("malformed.yaml" in problem for problem in (await explanation(place, "web")).problems)
