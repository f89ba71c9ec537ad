"""What runtime owns survives a write: the law of ADR 0017, object by object."""

import copy

from reconciler.kernel.identity import Manifest
from reconciler.routers.registry import ROUTERS
from reconciler.sync.drift.carry import RuntimeOwned, carry_over
from reconciler.sync.drift.owned import runtime_owned

RULE = {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"}
ROUTING = {"istio": {"virtualService": {"name": "web"}, "destinationRule": RULE}, "managedRoutes": [{"name": "testers"}]}
CANARY = {"canaryService": "web-canary", "stableService": "web", "trafficRouting": ROUTING}
OWNER = {"kind": "Rollout", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"strategy": {"canary": CANARY}}}
OWNED = runtime_owned([OWNER, {**OWNER, "spec": {"workloadRef": {"kind": "Deployment", "name": "web"}}}], [], ROUTERS)
NOBODY = RuntimeOwned()


def virtual_service(canary: int, *, managed: bool = False, canary_host: str = "web-canary", name: str = "primary") -> Manifest:
    route = {
        "name": name,
        "timeout": "2s",
        "route": [{"destination": {"host": "web"}, "weight": 100 - canary}, {"destination": {"host": canary_host}, "weight": canary}],
    }
    testers = {
        "name": "testers",
        "match": [{"headers": {"x": {"exact": "y"}}}],
        "route": [{"destination": {"host": "web-canary"}, "weight": 100}],
    }
    return {
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": ["web"], "http": [testers, route] if managed else [route]},
    }


def test_an_unrelated_push_at_weight_30_writes_weight_30() -> None:
    desired = virtual_service(0)
    desired["spec"]["http"][0]["timeout"] = "9s"
    written = carry_over(desired, virtual_service(30, managed=True), OWNED)
    managed, primary = written["spec"]["http"]
    assert managed["name"] == "testers"
    assert [d["weight"] for d in primary["route"]] == [70, 30]
    assert primary["timeout"] == "9s"


def test_unnamed_routes_are_matched_in_order() -> None:
    desired, live = virtual_service(0), virtual_service(40)
    del desired["spec"]["http"][0]["name"], live["spec"]["http"][0]["name"]
    written = carry_over(desired, live, OWNED)
    assert [d["weight"] for d in written["spec"]["http"][0]["route"]] == [60, 40]


def carried(live: Manifest, *http: Manifest, **spec: object) -> Manifest:
    """What a push of these routes writes."""
    desired = virtual_service(0)
    return carry_over({**desired, "spec": {"hosts": ["web"], "http": list(http), **spec}}, live, OWNED)


def test_a_push_that_inserts_an_unnamed_route_of_others_resets_no_weight() -> None:
    desired, live = virtual_service(0)["spec"]["http"][0], virtual_service(40)
    del desired["name"], live["spec"]["http"][0]["name"]
    other = {"match": [{"uri": {"prefix": "/mail"}}], "route": [{"destination": {"host": "mail"}, "weight": 100}]}
    mail, primary = carried(live, other, desired)["spec"]["http"]
    assert mail == other
    assert [d["weight"] for d in primary["route"]] == [60, 40]


def test_a_push_that_adds_a_tls_route_of_others_resets_no_weight() -> None:
    tls = [{"match": [{"port": 443, "sniHosts": ["m"]}], "route": [{"destination": {"host": "mail"}}]}]
    written = carried(virtual_service(40), virtual_service(0)["spec"]["http"][0], tls=tls)
    assert [d["weight"] for d in written["spec"]["http"][0]["route"]] == [60, 40]
    assert written["spec"]["tls"] == tls


def test_a_push_that_writes_full_names_or_ports_resets_no_weight() -> None:
    for change in ({"host": "web-canary.shop.svc.cluster.local"}, {"host": "web-canary", "port": {"number": 8080}}):
        route = virtual_service(0)["spec"]["http"][0]
        route["route"][1]["destination"] = change
        written = carried(virtual_service(40), route)["spec"]["http"][0]
        assert [d["weight"] for d in written["route"]] == [60, 40] and written["route"][1]["destination"] == change


def test_a_push_that_renames_the_route_resets_no_weight() -> None:
    written = carried(virtual_service(40), virtual_service(0, name="main")["spec"]["http"][0])
    assert [d["weight"] for d in written["spec"]["http"][0]["route"]] == [60, 40]


def test_weights_of_a_route_that_no_rollout_owns_are_gits() -> None:
    written = carry_over(virtual_service(0), virtual_service(30), NOBODY)
    assert [d["weight"] for d in written["spec"]["http"][0]["route"]] == [100, 0]


def test_a_route_that_leads_elsewhere_by_now_is_gits() -> None:
    written = carry_over(virtual_service(5, canary_host="other"), virtual_service(30), OWNED)
    assert [d["weight"] for d in written["spec"]["http"][0]["route"]] == [95, 5]


def test_the_destination_of_an_experiment_keeps_its_share() -> None:
    live = virtual_service(20)
    live["spec"]["http"][0]["route"].append({"destination": {"host": "experiment"}, "weight": 10})
    written = carry_over(virtual_service(0), live, OWNED)
    assert [d.get("weight") for d in written["spec"]["http"][0]["route"]] == [80, 20, 10]


def test_the_hash_of_a_service_selector_survives() -> None:
    service = {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}}}
    live = copy.deepcopy(service)
    live["spec"]["selector"]["rollouts-pod-template-hash"] = "abc"
    assert carry_over(service, live, NOBODY)["spec"]["selector"] == {"app": "web", "rollouts-pod-template-hash": "abc"}


def test_replicas_that_an_autoscaler_owns_survive_and_others_are_gits() -> None:
    desired = {"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 2}}
    live = {**desired, "spec": {"replicas": 7}}
    assert carry_over(desired, live, OWNED)["spec"]["replicas"] == 7
    assert carry_over(desired, live, NOBODY)["spec"]["replicas"] == 2


def test_the_hashes_of_subsets_survive() -> None:
    def rule(**labels: str) -> Manifest:
        return {
            "kind": "DestinationRule",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"host": "web", "subsets": [{"name": "canary", "labels": labels}]},
        }

    written = carry_over(rule(app="web"), rule(**{"rollouts-pod-template-hash": "abc"}), OWNED)
    assert written["spec"]["subsets"][0]["labels"] == {"app": "web", "rollouts-pod-template-hash": "abc"}


def test_what_does_not_live_yet_is_written_as_git_has_it() -> None:
    desired = virtual_service(0)
    assert carry_over(desired, None, OWNED) is desired


def test_neither_argument_is_changed() -> None:
    desired, live = virtual_service(0), virtual_service(30, managed=True)
    before = copy.deepcopy((desired, live))
    carry_over(desired, live, OWNED)
    assert (desired, live) == before
