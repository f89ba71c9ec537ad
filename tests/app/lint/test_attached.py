"""Routes of the Gateway API and Ingresses: what a release would stumble over is told before a push."""

import pytest

from reconciler.app.lint.finding import Finding, Severity
from tests.kit.lint import ROLLOUT, found

ISTIO = """\
        istio:
          virtualService:
            name: web
            routes: [primary]
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec: {gatewayClassName: envoy, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: public}]
  rules:
    - backendRefs: [{name: web, port: 80, weight: 100}, {name: web-canary, port: 80, weight: 0}]
"""
PLUGIN = "        plugins: {argoproj-labs/gatewayAPI: {httpRoute: web}}\n"


def looked_at(route: str, routing: str = PLUGIN) -> list[Finding]:
    return found({"rollout.yaml": ROLLOUT.replace(ISTIO, routing), "route.yaml": route})


def test_a_good_route_has_nothing_wrong() -> None:
    assert looked_at(ROUTE) == []


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("port: 80, weight: 100}", "weight: 100}", "spec.rules[0].backendRefs[0].port", "is required"),
        ("weight: 100}", "weight: -1}", "spec.rules[0].backendRefs", "whole numbers"),
        ("weight: 100}", "weight: 0}", "spec.rules[0].backendRefs", "all weights are 0"),
        (
            "{name: public}]\n  rules",
            "{name: pubic}]\n  rules",
            "spec.parentRefs[0].name",
            "Gateway.gateway.networking.k8s.io shop/pubic is not among these files",
        ),
        ("[{name: public}]\n  rules", "[]\n  rules", "spec.parentRefs", "names no Gateway"),
    ],
)
def test_what_a_route_gets_wrong_is_told_at_its_field(old: str, new: str, field: str, words: str) -> None:
    assert ROUTE.count(old) == 1
    (finding,) = [one for one in looked_at(ROUTE.replace(old, new)) if one.object.startswith("HTTPRoute")]
    assert (finding.field, finding.severity) == (field, Severity.ERROR) and words in finding.message


def test_a_route_that_does_not_lead_to_both_services_is_told_at_the_rollout_and_a_missing_service_at_the_route() -> None:
    findings = looked_at(ROUTE.replace("{name: web-canary,", "{name: web-canry,"))
    assert {finding.object.split()[0] for finding in findings} == {"HTTPRoute", "Rollout"}
    (missing,) = [finding for finding in findings if finding.object.startswith("HTTPRoute")]
    assert "Service shop/web-canry" in missing.message and missing.suggestion == "did you mean web-canary?"


def test_an_ingress_that_leads_to_no_service_is_told_unless_an_annotation_is_meant() -> None:
    ingress = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: other, namespace: shop}\nspec:\n  rules:\n"
        "    - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: wb, port: {name: NAME}}}}]}\n"
    )
    (finding,) = found({"ingress.yaml": ingress.replace("NAME", "http")})
    assert finding.field == "spec.rules[0].http.paths[0].backend.service.name" and "Service shop/wb" in finding.message
    assert found({"ingress.yaml": ingress.replace("NAME", "use-annotation")}) == []
