"""Services and routes lead somewhere."""

import pytest

from reconciler.app.lint.finding import Severity
from reconciler.app.lint.network import service_of
from tests.kit.lint import ROUTES, SERVICES, found, spoiled


def test_weights_of_several_destinations_add_up_to_100() -> None:
    finding = spoiled("routes.yaml", "weight: 0", "weight: 10")
    assert (finding.line, finding.message) == (9, "the weights of several destinations must add up to 100, they are 110")


def test_a_destination_that_is_not_there_is_an_error() -> None:
    findings = found({"routes.yaml": f"{ROUTES}        - destination: {{host: web-old}}\n"})
    assert [(f.line, f.field) for f in findings] == [(14, "spec.http[0].route[2].destination.host")]


def test_a_gateway_of_somebody_else_is_only_a_note() -> None:
    finding = spoiled("routes.yaml", "gateways: [mesh]", "gateways: [istio-ingress/public, mesh]")
    assert (finding.severity, finding.field) == (Severity.NOTE, "spec.gateways[0]")


def test_a_route_without_hosts_is_told() -> None:
    assert spoiled("routes.yaml", "hosts: [web.example.com]", "hosts: []").field == "spec.hosts"


def test_two_routes_of_one_name_are_told() -> None:
    route = "    - name: primary\n      route:\n        - destination: {host: web}\n"
    assert "spec.http[1].name" in {f.field for f in found({"routes.yaml": ROUTES + route})}


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("port: 80", "port: eighty", "spec.ports[0].port"),
        ("  ports:\n    - {name: http, port: 80}\n", "", "spec.ports"),
        ("{app: web}", "{app: 1}", "spec.selector"),
    ],
)
def test_a_service_that_cannot_serve_is_told(old: str, new: str, field: str) -> None:
    findings = found({"services.yaml": SERVICES.replace(old, new, 1)})
    assert ("services.yaml", field) in {(f.file, f.field) for f in findings}


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("web", ("shop", "web")),
        ("web.other.svc", ("other", "web")),
        ("web.other.svc.cluster.local", ("other", "web")),
        ("api.example.com", None),
        ("*", None),
    ],
)
def test_a_host_means_a_service_by_istios_rules(host: str, place: tuple[str, str] | None) -> None:
    assert service_of(host, "shop") == place


def test_a_virtual_service_that_another_one_delegates_to_needs_no_hosts() -> None:
    delegate = ROUTES.replace("  hosts: [web.example.com]\n", "").replace("  gateways: [mesh]\n", "")
    assert any(finding.field == "spec.hosts" for finding in found({"routes.yaml": delegate}))
    root = ROUTES.partition("      route:")[0].replace("name: web,", "name: root,").replace("- name: primary", "- delegate: {name: web}")
    assert not any(finding.field == "spec.hosts" for finding in found({"routes.yaml": f"{delegate}---\n{root}"}))


def test_a_route_behind_one_that_takes_everything_is_never_selected() -> None:
    second = "    - name: secondary\n      match: [{headers: {x: {exact: y}}}]\n      route:\n        - destination: {host: web}\n"
    (finding,) = found({"routes.yaml": ROUTES + second})
    assert finding.severity is Severity.WARNING and "route secondary is never selected: route primary above it" in finding.message
    first = ROUTES.replace("  http:\n", f"  http:\n{second}")
    assert found({"routes.yaml": first}) == []


def test_a_weight_of_nothing_is_told_like_any_other_that_is_no_number() -> None:
    told = [finding.message for finding in found({"routes.yaml": ROUTES.replace("weight: 0", "weight: null")})]
    assert "weights must be whole numbers of at least 0, found None" in told
