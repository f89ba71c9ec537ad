"""Istio's behaviour, asked of the real Envoy: routes, weights, failures, and what survives."""

from tests.kit.mesh import to, virtual_service


async def test_weights_share_requests(stage) -> None:
    await stage.serve(virtual_service("web", {"route": [to("web", 70), to("web-canary", 30)]}))
    shares = await stage.visitor.shares(2000)
    assert sum(shares.values()) == 2000
    assert abs(shares["v2"] - 600) < 4 * 20.5
    print(await stage.metrics())
    print(stage.mesh.problems)
