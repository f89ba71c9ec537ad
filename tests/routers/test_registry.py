"""Routers by name: contract 1.7."""

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.rollouts.traffic.router import Configured, configured
from reconciler.routers.registry import ROUTERS


def test_settings_beside_the_routers_are_no_routers() -> None:
    assert configured(
        ROUTERS, {"managedRoutes": [], "istio": {"virtualService": {"name": "v"}}, "maxTrafficWeight": 100, "nginx": None}
    ) == (Configured("istio", ROUTERS["istio"], {"virtualService": {"name": "v"}}),)


def test_an_unknown_router_is_named() -> None:
    with pytest.raises(Terminal, match=r"trafficRouting\.alb: no such router"):
        configured(ROUTERS, {"alb": {}, "istio": {}})
