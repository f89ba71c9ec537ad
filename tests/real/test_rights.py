"""The rights of `deploy/` on a real control plane: the daemon lives as its ServiceAccount, and the audit log says what it asked for.

They are enough: nothing is refused. They are the least: every one is used, by the demo's stories and by `stories/rights.yaml`.
A source's objects are read by name where a resource and namespace has one of them, by one list where it has more: which of the two
a kind needs is its repository's choice, so that either counts for both.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.parse import load_story

from tests.kit.granted import Right, documents, elsewhere, rights
from tests.kit.kubectl import Kubectl, binary
from tests.real.kit.audit import entries
from tests.real.kit.deployment import DAEMON, installed, used
from tests.real.kit.detour import Late, through
from tests.real.kit.owners import PLUGIN, SUFFIX, attempts, caller_of, refused_without
from tests.real.kit.playing import DISTURBED, Arrangement, played
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server, started_cluster

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("plays"),
    pytest.mark.skipif(not binary(), reason="no kubectl on this machine"),
]
STORY = Path(__file__).parent / "stories" / "rights.yaml"
ISTIO = "/apis/networking.istio.io/v1/namespaces/shop"
SUBSETS = {"host": "extra", "subsets": [{"name": "stable", "labels": {"app": "extra"}}, {"name": "canary", "labels": {"app": "extra"}}]}
TEMPLATE = {"metadata": {"labels": {"app": "borrowing"}}, "spec": {"containers": [{"name": "main", "image": "registry.example.com/a:1"}]}}
ENDED = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Experiment",
    "metadata": {"name": "spare"},
    "spec": {
        "terminate": True,
        "templates": [{"name": "one", "selector": {"matchLabels": {"app": "borrowing"}}, "template": TEMPLATE}],
    },
}
"""An experiment that owns something and does nothing."""
OBJECTS = (
    ("/api/v1/namespaces/shop/secrets", {"metadata": {"name": "extra"}, "stringData": {"word": "hush"}}),
    ("/api/v1/namespaces/shop/podtemplates", {"metadata": {"name": "extra"}, "template": TEMPLATE}),
    ("/apis/argoproj.io/v1alpha1/namespaces/shop/experiments", ENDED),
    (
        f"{ISTIO}/destinationrules",
        {"metadata": {"name": "extra"}, "spec": SUBSETS, "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule"},
    ),
)
SOURCES = "reconciler-source-"
LATE = ("analysisruns", "releases", "replicasets", "experiments", "services")
BY_CHANCE = "reconciler: get releases.reconciler.dev"
"""Asked for where a Release is made twice, because the watch was late: two passes have to meet for it, and they need not."""
OWNERS = {"rollouts": "argoproj.io", "experiments": "argoproj.io", "analysisruns": "argoproj.io", "releases": "reconciler.dev"}
UNLIMITED = {"pruneLimit": {"percent": 100, "objects": 100}}


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A control plane of its own: an audit log is read as a whole, and a role is taken apart. Skips on somebody's own cluster."""
    for started in started_cluster(tmp_path_factory.mktemp("guarded"), admission=[PLUGIN]):
        if started.real is None:
            pytest.skip("the audit log of somebody's cluster is not ours to read")
        yield started


async def test_the_rights_of_the_deployment_are_enough_and_all_of_use(cluster: Server, tmp_path: Path) -> None:
    assert cluster.real is not None
    async with caller(cluster) as administrator:
        token = await installed(administrator, kubectl_of(cluster, tmp_path / "home"))
        async with through(cluster.real, tmp_path, token, partial(Late, plurals=LATE)) as (_, kubeconfig):
            story = load_story(STORY, "extra")
            arrangement = Arrangement(daemon_kubeconfig=kubeconfig, source=UNLIMITED, objects=OBJECTS, further=[story], **DISTURBED)
            await played(cluster, tmp_path, arrangement)
        asked = entries(cluster.real.audit_log, DAEMON)
        assert len(asked) > 1000
        assert not {(entry.verb, entry.resource, entry.namespace, entry.name) for entry in asked if entry.code == 403}
        granted = [right for right in rights(documents()) if not elsewhere(right)]
        needed = {said for right in granted if any(used(right, entry) for entry in asked) for said in proves(right)}
        unused = {str(right) for right in granted} - needed - {BY_CHANCE}
        assert unused == {f"reconciler: update {plural}{SUFFIX}.{group}" for plural, group in OWNERS.items()}
        # Those are asked for by the admission plugin, which leaves no request behind: without them it refuses.
        async with caller_of(cluster.real, token) as daemon:
            assert {attempt.status for attempt in (await attempts(daemon)).values()} == {201}
            left = await refused_without(administrator, daemon, "reconciler")
            assert {plural for plural, attempt in left.items() if attempt.refused} == set(OWNERS), left


def proves(right: Right) -> set[str]:
    """What the use of a right is proof of: itself, and for a source's `get` or `list` the other one too."""
    said = str(right)
    if not right.role.startswith(SOURCES):
        return {said}
    return {said, said.replace(": get ", ": list "), said.replace(": list ", ": get ")}


def kubectl_of(server: Server, home: Path) -> Kubectl:
    """A real kubectl of the administrator."""
    home.mkdir()
    (home / "config").write_text(server.kubeconfig.read_text(encoding="utf-8"), encoding="utf-8")
    return Kubectl(home)
