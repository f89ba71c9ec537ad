"""What a mark says comes back as it was written; what we cannot have written says nothing."""

import json

import pytest

from reconciler.kernel.well_known import TRAFFIC_MARK
from reconciler.rollouts.traffic.marks import with_mark
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute
from reconciler.rollouts.traffic.router import Owner
from reconciler.routers.istio_record import Record, given_back, record_of
from reconciler.routers.istio_sides import Sides
from tests.kit.istio import pair, to, virtual_service

OWNER = Owner("prod", "shop")
SIDES = Sides(canary="shop-canary", stable="shop-stable", canary_subset="c", other_subsets=frozenset({"beta"}), namespace="prod")
MADE = {"t": HeaderRoute("t", (HeaderMatch("x", exact="y"), HeaderMatch("z", regex=".*"))), "m": MirrorRoute("m", ({"path": {}},), 7)}
WHOLE = Record(sides=SIDES, listed={"routes": ["main"]}, managed=("t", "m"), experiments=("trial",), made=MADE)


@pytest.mark.parametrize("record", [WHOLE, Record(sides=Sides(canary="a", stable="b", namespace="prod"))])
def test_a_record_comes_back_from_its_mark(record: Record) -> None:
    assert record_of(with_mark(virtual_service([]), OWNER, record.mark), OWNER) == record


@pytest.mark.parametrize(
    "mark", ["no json", "[]", '{"prod/shop": 3}', '{"prod/shop": {"made": [1]}}', '{"prod/shop": {"made": {"a": {}}}}']
)
def test_what_we_cannot_have_written_says_nothing(mark: str) -> None:
    found = virtual_service([])
    found["metadata"]["annotations"] = {TRAFFIC_MARK: mark}
    assert record_of(found, OWNER) is None


def test_weights_go_home_and_made_routes_go_while_routes_of_others_stay() -> None:
    others = {"name": "other", "route": pair(50, 50)}
    http = [{"name": "t", "route": [to("shop-canary", 100)]}, {"name": "main", "route": [*pair(30, 60), to("trial", 10)]}, others]
    assert given_back({"http": http, "hosts": ["shop"]}, WHOLE) == {
        "http": [{"name": "main", "route": pair(0, 100)}, others],
        "hosts": ["shop"],
    }
    assert json.dumps(WHOLE.mark)
