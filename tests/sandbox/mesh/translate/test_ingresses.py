"""Which requests an Ingress and its canary take, as routes of Envoy."""

from typing import Any

import pytest
from reconciler_sandbox.mesh.translate.render import render

from tests.kit.mesh import LAYOUT, canary_ingress, gateway, ingress, path, service, to, virtual_service

Json = dict[str, Any]
WEB, CANARY, MAIL = (
    "outbound|80||web.default.svc.cluster.local",
    "outbound|80||web-canary.default.svc.cluster.local",
    "outbound|25||mail.default.svc.cluster.local",
)
SERVICES = [service("web"), service("web-canary"), service("mail", port=25, port_name="smtp")]


def hosts(*objects: Json) -> dict[str, list[Json]]:
    config = render([*SERVICES, *objects], LAYOUT)
    assert config.problems == {}
    return {host["domains"][0]: host["routes"] for host in config.tables["http.80"]["virtual_hosts"]}


def ways(*objects: Json, host: str = "web.example.com") -> list[tuple[Json, Any]]:
    """(match, cluster or weights) of each route of one host."""
    return [(route["match"], _target(route["route"])) for route in hosts(*objects)[host]]


def _target(action: Json) -> Any:
    if "cluster" in action:
        return action["cluster"]
    return {entry["name"]: entry["weight"] for entry in action["weighted_clusters"]["clusters"]}


def test_the_longest_path_is_asked_first_and_an_exact_one_before_a_prefix() -> None:
    paths = [
        path("web"),
        path("mail", "/a", port=25),
        path("web", "/a/b/"),
        path("web", "/a", "Exact"),
        path("web", "/x", "ImplementationSpecific"),
    ]
    assert ways(ingress("web", *paths)) == [
        ({"path_separated_prefix": "/a/b"}, WEB),
        ({"path": "/a"}, WEB),
        ({"path_separated_prefix": "/a"}, MAIL),
        ({"prefix": "/x"}, WEB),
        ({"prefix": "/"}, WEB),
    ]


def test_a_port_by_name_no_host_and_a_default_backend_are_served() -> None:
    backend = path("web")["backend"]
    found = hosts(ingress("web", path("mail", port="smtp"), host="mail.example.com", spec={"defaultBackend": backend}))
    assert {host: _target(routes[0]["route"]) for host, routes in found.items()} == {"*": WEB, "mail.example.com": MAIL}
    assert ways(ingress("web", path("mail", port="lost"), host=""), host="*")[0][1] == "outbound|0||mail.default.svc.cluster.local"


def test_the_older_of_two_ingresses_has_the_path() -> None:
    old, new = ({"creationTimestamp": f"2030-01-0{day}T00:00:00Z"} for day in (1, 2))
    assert ways(ingress("a", path("web-canary"), metadata=new), ingress("b", path("web"), metadata=old)) == [({"prefix": "/"}, WEB)]


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ({"canary_weight": "0"}, {WEB: 100}),
        ({"canary_weight": "40"}, {WEB: 60, CANARY: 40}),
        ({"canary_weight": "5", "canary_weight_total": "1000"}, {WEB: 995, CANARY: 5}),
        ({"canary_weight": "100"}, {CANARY: 100}),
        ({}, {WEB: 100}),
    ],
)
def test_a_canary_ingress_takes_its_weight_of_the_whole(notes: dict[str, str], expected: dict[str, int]) -> None:
    assert ways(ingress("web", path("web")), canary_ingress("canary", **notes)) == [({"prefix": "/"}, expected)]


def header(value: str, name: str = "x-tester") -> Json:
    return {"prefix": "/", "headers": [{"name": name, "string_match": {"exact": value}}]}


def regex(pattern: str, name: str = "x-tester") -> Json:
    return {"prefix": "/", "headers": [{"name": name, "string_match": {"safe_regex": {"regex": pattern}}}]}


COOKIE = r"(?:.*;\s*)?c\.d={}(?:;.*)?"


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ({}, [(header("always"), CANARY), (header("never"), WEB)]),
        ({"canary_by_header_value": "yes"}, [(header("yes"), CANARY)]),
        ({"canary_by_header_pattern": "^a|b$"}, [(regex(".*(?:^a|b$).*"), CANARY)]),
        ({"canary_by_header_pattern": "(", "canary_by_header_value": "yes"}, [(header("yes"), CANARY)]),
        (
            {"canary_by_header_value": "yes", "canary_by_cookie": "c.d"},
            [
                (header("yes"), CANARY),
                (regex(COOKIE.format("always"), "cookie"), CANARY),
                (regex(COOKIE.format("never"), "cookie"), WEB),
            ],
        ),
    ],
)
def test_headers_come_before_cookies_and_cookies_before_the_weight(notes: dict[str, str], expected: list[tuple[Json, str]]) -> None:
    found = ways(ingress("web", path("web")), canary_ingress("canary", canary_by_header="x-tester", canary_weight="40", **notes))
    assert found == [*expected, ({"prefix": "/"}, {WEB: 60, CANARY: 40})]


def test_a_canary_ingress_takes_only_its_own_paths_hosts_and_namespace() -> None:
    plain = ingress("web", path("web"), path("mail", "/mail", port=25))
    canary = canary_ingress("canary", path("web-canary", "/mail"), path("web-canary", "/", "Exact"), canary_weight="40")
    elsewhere = canary_ingress("elsewhere", canary_weight="50")
    elsewhere["metadata"]["namespace"] = "other"
    assert ways(plain, canary, elsewhere) == [
        ({"path_separated_prefix": "/mail"}, {MAIL: 60, CANARY: 40}),
        ({"prefix": "/"}, WEB),
    ]
    assert hosts(canary_ingress("alone", canary_weight="40")) == {}


@pytest.mark.parametrize(
    "spoiled",
    [{"metadata": {"annotations": {"kubernetes.io/ingress.class": "alb"}}}, {"spec": {"ingressClassName": "traefik"}}],
)
def test_an_ingress_of_another_class_is_somebody_elses(spoiled: Json) -> None:
    assert hosts(ingress("web", path("web"), **spoiled)) == {}
    assert set(hosts(ingress("web", path("web"), spec={"ingressClassName": "nginx"}))) == {"web.example.com"}


def test_a_virtual_service_of_the_same_host_comes_first() -> None:
    rule = {"match": [{"uri": {"exact": "/a"}}], "route": [to("web-canary")]}
    found = hosts(gateway(), virtual_service("web", rule), ingress("web", path("web")))["web.example.com"]
    assert [_target(route["route"]) for route in found] == [CANARY, WEB]
