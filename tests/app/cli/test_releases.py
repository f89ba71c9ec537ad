"""Releases as a person and a machine read them."""

from reconciler.kernel.resources import RELEASES
from reconciler.kube.client import Client
from reconciler.releases.model import ReleasePhase, ReleaseStatus
from tests.kit.clusters import NAMESPACE
from tests.kit.counters import RECORD
from tests.kit.releases import release
from tests.kit.shell import Shell
from tests.kit.stocked import rejected, store


async def two(client: Client) -> None:
    await store(client, rejected())
    await store(client, release("web-next", number=5))


async def odd(client: Client) -> None:
    metadata = {"name": "odd", "namespace": NAMESPACE}
    await client.create(RELEASES, {"apiVersion": "reconciler.dev/v1alpha1", "kind": "Release", "metadata": metadata, "spec": {"x": 1}})


def test_releases_are_listed_oldest_first(sh: Shell) -> None:
    sh.ask(two)
    _, first, second = sh("releases", "list", "-n", "shop").output.splitlines()
    assert first.split()[:8] == ["shop", "web-bad", "web", "demo", "c" * 12, "Closed", "failed", "held"]
    assert first.split()[9:] == ["web:1.1", "Ann", "web", "1.1"]
    assert second.split()[:2] == ["shop", "web-next"]
    assert [r["name"] for r in sh("releases", "list", "-A", "-o", "json").json] == ["web-bad", "web-next"]


def test_one_that_somebody_wrote_by_hand_hides_nothing(sh: Shell) -> None:
    sh.ask(two)
    sh.ask(odd)
    assert len(sh("releases", "list", "-A", "-o", "json").json) == 2
    assert sh("releases", "show", "odd", "-n", "shop").code == 3


def test_one_release_is_shown_with_place_numbers_and_restore(sh: Shell) -> None:
    sh.ask(two)
    ended = sh("releases", "show", "web-bad", "-n", "shop")
    for words in (
        "Release shop/web-bad: ❌ failed",
        "success-rate Failed: 2 failed",
        "Changed   web.yaml:3 image: web:1 → web:2",
        "Measured  success-rate Failed: 0 passed, 2 failed, 0 without data",
        f"Restored  pushed {'d' * 12}",
    ):
        assert words in ended.output
    shown = sh("releases", "show", "web-bad", "-n", "shop", "-o", "json").json
    assert (shown["status"]["verdict"], shown["spec"]["source"]) == ("failed", "shop")


async def compared(client: Client) -> None:
    await store(client, release("web-on-its-way", status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, comparison=RECORD)))


def test_how_canary_and_baseline_compare_is_shown_while_it_is_on_its_way(sh: Shell) -> None:
    sh.ask(compared)
    shown = sh("releases", "show", "web-on-its-way", "-n", "shop").output
    assert "Compared  errors: 12 of 980 (1.2%) of the canary beside 9 of 9120 (0.099%), 12.4x; 2 windows lost\n" in shown
    assert "Compared  1.5x is tolerated, e-value 143 of 100 (budget 1%)\n" in shown


def test_one_that_is_not_there_says_where_to_look(sh: Shell) -> None:
    ended = sh("releases", "show", "gone", "-n", "shop")
    assert (ended.code, ended.output) == (3, "")
    assert "reconciler releases list -n shop" in ended.errors
