"""A person takes a proof away, and gives it back."""

from msgspec.structs import replace

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.releases import BAD, NOW, release, rollout
from tests.kit.shell import Shell
from tests.kit.stocked import store

PASSED = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, decided_at=NOW, promoted_at=NOW, pod_hash=BAD)


async def stock(client: Client) -> None:
    live = rollout(current=BAD, stable=BAD, phase="Healthy")
    await client.create(ROLLOUTS, live)
    await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"status": live["status"]}, subresource="status")
    await store(client, release(status=PASSED))
    await store(client, replace(release("web-open"), status=ReleaseStatus()))


async def kept(client: Client) -> Release:
    return parse_release(await client.get(RELEASES, NAMESPACE, "web-bad"))


def test_a_proof_is_taken_with_a_reason_and_given_back(sh: Shell) -> None:
    sh.ask(stock)
    ended = sh("distrust", "web", "-n", "shop", "--reason", "loses orders")
    assert ended.code == 0 and "'web-bad' is not proven any more" in ended.output
    found = sh.ask(kept)
    assert found.status.lost is not None and found.status.lost.reason == "loses orders" and not found.proven
    assert found.status.verdict is Verdict.PASSED
    assert sh("accept", "web", "-n", "shop").code == 0
    assert sh.ask(kept).proven and sh.ask(kept).status.lost is None


def test_what_is_not_proven_has_nothing_to_take(sh: Shell) -> None:
    sh.ask(stock)
    assert sh("distrust", "web", "-n", "shop", "--reason", "r", "--release", "web-open").code != 0
    assert sh("distrust", "web", "-n", "shop", "--reason", "r").code == 0
    ended = sh("distrust", "web", "-n", "shop", "--reason", "again")
    assert ended.code != 0 and "nothing to take away" in ended.errors
