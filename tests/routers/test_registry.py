"""Routers by name: contract 1.7."""

from pathlib import Path

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.rollouts.traffic.router import ConfiguredRouter, configured
from reconciler.routers.registry import ROUTERS


def test_settings_beside_the_routers_are_no_routers() -> None:
    assert configured(
        ROUTERS, {"managedRoutes": [], "istio": {"virtualService": {"name": "v"}}, "maxTrafficWeight": 100, "nginx": None}
    ) == (ConfiguredRouter("istio", ROUTERS["istio"], {"virtualService": {"name": "v"}}),)


def test_the_docs_say_what_is_served_as_the_registry_does() -> None:
    page = (Path(__file__).parents[2] / "docs" / "routers.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 7]
    said = {row.split("`")[1]: [cell.strip().startswith("yes") for cell in row.split("|")[2:-1]] for row in rows[1:]}
    features = {name: router.features for name, router in ROUTERS.items()}
    assert said == {name: [f.header, f.mirror, f.maximum, f.ping_pong, f.verify] for name, f in features.items()}


def test_an_unknown_router_is_named() -> None:
    with pytest.raises(Terminal, match=r"trafficRouting\.kong: no such router"):
        configured(ROUTERS, {"kong": {}, "istio": {}})
