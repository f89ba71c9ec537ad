"""Where routers meet, found among files: two Rollouts on one route, two routers on one object, classes, long names."""

import pytest

from reconciler.app.lint.finding import Severity
from tests.kit.lint import ROLLOUT, found

ISTIO = """\
        istio:
          virtualService:
            name: web
            routes: [primary]
"""
NGINX = "        nginx:\n          stableIngress: web\n"
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: CLASS
  rules:
    - {host: web.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}
"""


def told(files: dict[str, str]) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.message) for finding in found(files)]


def behind(routing: str, ingress: str = "", *, rollout: str = ROLLOUT) -> list[tuple[Severity, str]]:
    return told({"rollout.yaml": rollout.replace(ISTIO, routing), "ingress.yaml": ingress})


def test_two_rollouts_that_move_the_same_traffic_are_told_at_both() -> None:
    other = ROLLOUT.replace("{name: web, namespace: shop}", "{name: shadow, namespace: shop}")
    messages = [message for severity, message in told({"other.yaml": other}) if severity is Severity.ERROR]
    same = "moves the same traffic of VirtualService shop/web"
    assert [message for message in messages if same in message] == [
        f"Rollout {name} {same}: each would undo what the other writes" for name in ("shop/web", "shop/shadow")
    ]


def test_two_rollouts_with_services_of_their_own_share_a_virtual_service() -> None:
    other = ROLLOUT.replace("{name: web, namespace: shop}", "{name: api, namespace: shop}").replace("Service: web", "Service: api")
    assert not any("same traffic" in message for _, message in told({"other.yaml": other}))


def test_two_rollouts_that_make_one_object_are_told() -> None:
    split = "        smi: {trafficSplitName: split}\n"
    other = ROLLOUT.replace("{name: web, namespace: shop}", "{name: api, namespace: shop}").replace("Service: web", "Service: api")
    files = {"rollout.yaml": ROLLOUT.replace(ISTIO, split), "other.yaml": other.replace(ISTIO, split)}
    assert sum("makes TrafficSplit shop/split, too" in message for _, message in told(files)) == 2


def test_two_routers_on_one_object_are_warned_of() -> None:
    alb = "        alb: {ingress: web, servicePort: 80}\n"
    messages = [m for severity, m in behind(NGINX + alb, INGRESS.replace("CLASS", "mine")) if severity is Severity.WARNING]
    assert [message for message in messages if "both route" in message] == [
        "nginx and alb both route Ingress shop/web: one gateway carries out one of them"
    ]


@pytest.mark.parametrize(
    ("name", "extra", "wrong"),
    [
        ("nginx", "", False),
        ("nginx-internal", "", False),
        ("mine", "", False),
        ("alb", "", True),
        ("mine", "spec: {controller: traefik.io/ingress-controller}", True),
        ("alb", "spec: {controller: k8s.io/ingress-nginx}", False),
    ],
)
def test_an_ingress_of_another_class_is_warned_of(name: str, extra: str, wrong: bool) -> None:
    classes = f"---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {{name: {name}}}\n{extra}\n" if extra else ""
    messages = [message for severity, message in behind(NGINX, INGRESS.replace("CLASS", name) + classes) if severity is Severity.WARNING]
    assert any("has no effect there" in message for message in messages) is wrong


def test_names_at_the_limit_are_told_and_one_letter_less_is_not() -> None:
    def made(letters: int) -> list[tuple[Severity, str]]:
        stable = "i" * (letters - len("web--canary"))
        return behind(
            NGINX.replace("web", stable), INGRESS.replace("CLASS", "nginx").replace("{name: web, namespace", f"{{name: {stable}, namespace")
        )

    assert made(252) == []
    assert [severity for severity, message in made(260) if "cut at 253" in message] == [Severity.WARNING]
    long = ROLLOUT.replace("canaryService: web-canary", f"canaryService: {'c' * 64}")
    assert any("has 64 letters" in message for _, message in told({"rollout.yaml": long}))


def test_a_pod_that_is_taken_at_weight_0_takes_the_header_route_along() -> None:
    dark = (
        "        - setCanaryScale: {replicas: 1}\n"
        '        - setHeaderRoute: {name: h, match: [{headerName: x, headerValue: {exact: "y"}}]}\n'
        "        - setCanaryScale: {matchTrafficWeight: true}\n"
    )
    text = ROLLOUT.replace("        istio:\n", "        managedRoutes: [{name: h}]\n        istio:\n")
    bad = text.replace("        - setWeight: 20\n", f"{dark}        - setWeight: 20\n")
    [(severity, message)] = told({"rollout.yaml": bad})
    assert severity is Severity.WARNING and "takes the canary's last pod" in message
    first, _, last = dark.rpartition("        - setCanaryScale")
    good = text.replace("        - setWeight: 20\n", f"{first}        - setWeight: 20\n        - setCanaryScale{last}")
    assert told({"rollout.yaml": good}) == []
