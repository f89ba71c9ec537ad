"""Ingresses and their canaries, asked of the real Envoy."""

from typing import Any

import pytest

from tests.kit.mesh import canary_ingress, ingress, path

TAGGED = {"canary_by_header": "X-Tester", "canary_by_header_value": "yes"}


async def test_a_dark_canary_is_seen_by_tagged_requests_only_and_then_by_its_share_of_all(stage: Any) -> None:
    await stage.serve(ingress("web", path("web")), canary_ingress("web-canary", canary_weight="0", **TAGGED))
    assert await stage.visitor.shares(200) == {"v1": 200}
    assert await stage.visitor.shares(200, X_Tester="yes") == {"v2": 200}
    assert await stage.visitor.shares(100, X_Tester="no") == {"v1": 100}
    await stage.serve(canary_ingress("web-canary", canary_weight="40", **TAGGED))
    shares = await stage.visitor.shares(2000)
    assert set(shares) == {"v1", "v2"} and abs(shares["v2"] - 800) < 4 * (2000 * 0.4 * 0.6) ** 0.5
    assert await stage.visitor.shares(100, X_Tester="yes") == {"v2": 100}


async def test_always_and_never_and_a_pattern_and_a_cookie_tell_requests_too(stage: Any) -> None:
    await stage.serve(
        ingress("web", path("web")), canary_ingress("c", canary_by_header="x-tester", canary_by_cookie="c", canary_weight="100")
    )
    assert (await stage.visitor.visit(x_tester="never"))[1] == "v1"
    assert (await stage.visitor.visit(Cookie="a=b; c=never; d=e"))[1] == "v1"
    assert (await stage.visitor.visit(Cookie="cc=never"))[1] == "v2"
    await stage.serve(canary_ingress("c", canary_by_header="x-tester", canary_by_cookie="c", canary_weight="0"))
    assert (await stage.visitor.visit(x_tester="always"))[1] == "v2"
    assert (await stage.visitor.visit(x_tester="never", Cookie="c=always"))[1] == "v1"
    assert (await stage.visitor.visit(Cookie="c=always"))[1] == "v2"
    await stage.serve(canary_ingress("c", canary_by_header="x-tester", canary_by_header_pattern="beta-[0-9]"))
    assert [(await stage.visitor.visit(x_tester=value))[1] for value in ("my beta-7 test", "beta")] == ["v2", "v1"]


async def test_paths_lead_where_they_say_element_by_element(stage: Any) -> None:
    await stage.serve(ingress("web", path("web"), path("web-canary", "/shop"), path("web-canary", "/exact", "Exact")))
    answers = {where: (await stage.visitor.visit(path=where))[1] for where in ("/", "/shop", "/shop/a", "/shopping", "/exact", "/exact/a")}
    assert answers == {"/": "v1", "/shop": "v2", "/shop/a": "v2", "/shopping": "v1", "/exact": "v2", "/exact/a": "v1"}
    assert (await stage.visitor.visit(host="nobody.example.com"))[0] == 404


BAD = [
    canary_ingress("bad", canary_weight="many"),
    canary_ingress("bad", canary_by_header="x y\n", canary_weight="0"),
    ingress("bad", path("web-canary", "/a?b"), host="bad.example.com"),
]


@pytest.mark.parametrize("bad", BAD, ids=["our words", "a header", "a path"])
async def test_an_ingress_that_cannot_be_served_never_freezes_the_others(stage: Any, bad: Any) -> None:
    good = canary_ingress("web-canary", canary_weight="0", **TAGGED)
    await stage.serve(ingress("web", path("web")), good, bad)
    assert set(stage.mesh.problems) == {"Ingress default/bad"}
    assert await stage.visitor.shares(40, X_Tester="yes") == {"v2": 40}
    await stage.serve(canary_ingress("web-canary", canary_weight="100"))
    assert await stage.visitor.shares(40) == {"v2": 40}
    stage.api.remove(bad)
    await stage.mesh.settled()
    assert stage.mesh.problems == {}
