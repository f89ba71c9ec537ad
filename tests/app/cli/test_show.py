"""The commands that look."""

from datetime import timedelta

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.releases.model import ReleasePhase, ReleaseStatus
from reconciler.sources.inventory import Inventory, render_inventory
from tests.kit.clusters import NAMESPACE
from tests.kit.counters import RECORD
from tests.kit.releases import release
from tests.kit.shell import Shell
from tests.kit.stocked import fill, rejected, store

WEB = ObjectRef(ROLLOUTS, NAMESPACE, "web")


async def degraded(client: Client) -> None:
    await client.patch(WEB, {"status": {"phase": "Degraded", "message": "aborted"}}, subresource="status")


async def unseen(client: Client) -> None:
    await client.patch(WEB, {"spec": {"replicas": 5}})
    await client.patch(WEB, {"status": {"phase": "Healthy"}}, subresource="status")


async def failed(client: Client) -> None:
    await store(client, rejected())


def test_a_rollout_is_shown_as_a_tree(sh: Shell) -> None:
    sh.ask(fill)
    ended = sh("get", "rollout", "web", "-n", "shop")
    assert ended.code == 0
    assert "Weight:     30 in force, 30 asked for" in ended.output
    assert ended.output.index("revision 2") < ended.output.index("revision 1")
    assert "ReplicaSet web-new" in ended.output and "canary" in ended.output


def test_the_tree_is_pure_json_for_machines(sh: Shell) -> None:
    sh.ask(fill)
    known = sh("get", "rollout", "web", "-n", "shop", "-o", "json").json
    assert (known["phase"], known["step"], known["setWeight"]) == ("Paused", "1/2", 30)
    assert [child["name"] for child in known["tree"]["children"]] == ["revision 2", "revision 1"]


def test_rollouts_are_listed_in_columns(sh: Shell) -> None:
    sh.ask(fill)
    head, row = sh("list", "rollouts", "-n", "shop").output.splitlines()
    assert head.split()[:4] == ["NAMESPACE", "NAME", "STRATEGY", "STATUS"]
    assert row.split()[:4] == ["shop", "web", "Canary", "Paused"]
    assert [r["name"] for r in sh("list", "rollouts", "-A", "-o", "json").json] == ["web"]


def test_an_empty_list_is_empty(sh: Shell) -> None:
    assert sh("list", "rollouts", "-A", "-o", "json").json == []
    assert len(sh("list", "rollouts").output.splitlines()) == 1


def test_a_status_is_phase_and_message(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("status", "web", "-n", "shop", "--no-watch").output == "Paused - CanaryPauseStep\n"


def test_a_degraded_rollout_ends_with_1(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(degraded)
    ended = sh("status", "web", "-n", "shop", "-o", "json")
    assert (ended.code, ended.json["phase"]) == (1, "Degraded")


def test_waiting_ends_with_its_time(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("status", "web", "-n", "shop", "--timeout", str(timedelta(milliseconds=1).total_seconds())).code == 1


def test_a_spec_that_nobody_looked_at_yet_is_not_healthy(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(unseen)
    assert sh("status", "web", "-n", "shop", "--no-watch").output.startswith("Progressing - waiting for rollout spec update")


def test_explain_says_what_it_waits_for_and_what_to_do(sh: Shell) -> None:
    sh.ask(fill)
    ended = sh("explain", "web", "-n", "shop")
    assert ended.output.startswith("It waits for a person at step 2.\n")
    assert "reconciler promote web -n shop" in ended.output
    assert sh("explain", "web", "-n", "shop", "-o", "json").json["rule"] == "CanaryPauseStep"


async def troubled(client: Client) -> None:
    told = ("cannot be read: no such repository", "s.yaml:1: Deployment shop/search is not adopted: an autoscaler owns its replicas")
    await client.create(CONFIGMAPS, render_inventory("shop", "reconciler", Inventory(problems=told)))
    await client.patch(WEB, {"metadata": {"annotations": {"reconciler.dev/source": "shop"}}})


def test_explain_tells_what_is_wrong_with_the_source(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(troubled)
    assert "  problem: source shop: cannot be read: no such repository\n" in sh("explain", "web", "-n", "shop").output
    missing = sh("explain", "search", "-n", "shop")
    assert missing.output.startswith("There is no Rollout shop/search: source shop: s.yaml:1: Deployment shop/search is not adopted")
    assert sh("explain", "nobody", "-n", "shop").code == 3


async def compared(client: Client) -> None:
    await store(client, release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, comparison=RECORD)))


def test_explain_tells_how_canary_and_baseline_compare_whatever_else_it_says(sh: Shell) -> None:
    sh.ask(fill)
    assert "compared" not in sh("explain", "web", "-n", "shop").output
    sh.ask(compared)
    said = sh("explain", "web", "-n", "shop").output
    assert said.startswith("It waits for a person at step 2.\n")
    assert "  compared: errors: 12 of 980 (1.2%) of the canary beside 9 of 9120" in said and "e-value 143 of 100" in said
    assert len(sh("explain", "web", "-n", "shop", "-o", "json").json["compared"]) == 2


def test_explain_knows_the_release_that_lost(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(failed)
    assert sh("explain", "web", "-n", "shop").output.startswith("Release web-bad ended: failed")
