"""What is held, and letting it go."""

from msgspec.structs import replace

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.releases import NOW, release
from tests.kit.shell import Shell
from tests.kit.stocked import fill, rejected, store


async def stock(client: Client) -> None:
    """Two attempts of one rejected version, and another version."""
    await store(client, rejected())
    await store(client, replace(rejected(), name="web-bad-2"))
    await store(client, release("web-other", identity="other"))


async def statuses(client: Client) -> dict[str, ReleaseStatus]:
    return {m["metadata"]["name"]: parse_release(m).status for m in await client.list(RELEASES, NAMESPACE)}


def test_what_is_held_is_listed_with_its_reason(sh: Shell) -> None:
    sh.ask(stock)
    _, first, second = sh("hold", "list", "-n", "shop").output.splitlines()
    assert first.split()[:4] == ["shop", "web-bad", "web", "web:1.1"] and "2 failed" in first
    assert second.split()[1] == "web-bad-2"
    assert [r["name"] for r in sh("hold", "list", "-A", "-o", "json").json] == ["web-bad", "web-bad-2"]


def test_lifting_one_lifts_every_release_of_the_same_version(sh: Shell) -> None:
    sh.ask(stock)
    assert sh("hold", "lift", "web-bad", "-n", "shop").code == 0
    assert [status.held for status in sh.ask(statuses).values()] == [False, False, False]
    assert all(status.keep_until is None for status in sh.ask(statuses).values())


def test_ending_the_inspection_keeps_the_hold(sh: Shell) -> None:
    sh.ask(stock)
    assert sh("hold", "release", "web-bad", "-n", "shop").code == 0
    status = sh.ask(statuses)["web-bad"]
    assert status.held and status.keep_until is None


def test_a_person_may_hold_a_version(sh: Shell) -> None:
    sh.ask(stock)
    assert sh("hold", "add", "web-other", "-n", "shop").code == 0
    assert sh.ask(statuses)["web-other"].held


def test_a_release_that_is_not_there_is_3(sh: Shell) -> None:
    for verb in ("add", "lift", "release"):
        ended = sh("hold", verb, "gone", "-n", "shop")
        assert ended.code == 3 and "reconciler hold list -n shop" in ended.errors


def test_retry_lifts_the_hold_on_the_version_that_was_rejected_last(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(stock)
    assert "is no longer held" in sh("retry", "web", "-n", "shop").output
    assert [status.held for status in sh.ask(statuses).values()] == [False, False, False]


def test_retry_without_a_hold_lifts_nothing(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("retry", "web", "-n", "shop").output == "rollout 'web' retried\n"


async def unproven(client: Client) -> None:
    """Everybody runs a version whose release ended without enough evidence."""
    await fill(client)
    status = ReleaseStatus(
        phase=ReleasePhase.CLOSED, verdict=Verdict.NOT_ENOUGH_EVIDENCE, pod_hash="bad22", promoted_at=NOW, decided_at=NOW
    )
    await store(client, release("web-unproven", identity="unproven", status=status))
    serving = {"currentPodHash": "bad22", "stableRS": "bad22"}
    await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"status": serving}, subresource="status")


def test_a_person_may_call_the_version_that_serves_proven(sh: Shell) -> None:
    sh.ask(unproven)
    answer = sh("accept", "web", "-n", "shop", "--reason", "checked by hand")
    assert answer.code == 0 and "counts as proven" in answer.output
    accepted = sh.ask(statuses)["web-unproven"].accepted
    assert accepted is not None and accepted.reason == "checked by hand" and accepted.by
    again = sh("accept", "web", "-n", "shop")
    assert again.code == 3 and "is proven already" in again.errors
