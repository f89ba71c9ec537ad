"""The controller's own rules, said before a push."""

from reconciler.app.lint.finding import Severity
from reconciler.app.lint.lint import lint
from reconciler.sources.renderer import RenderOptions
from tests.kit.field_examples import BUILT
from tests.kit.lint import ROLLOUT, ROUTES, SERVICES, TEMPLATE, found, spoiled


def test_good_files_have_nothing_wrong() -> None:
    assert found() == []


def test_a_weight_above_100_is_told_on_its_line() -> None:
    finding = spoiled("rollout.yaml", "setWeight: 20", "setWeight: 120")
    assert (finding.file, finding.line, finding.field) == ("rollout.yaml", 30, "spec.strategy.steps[0].setWeight")
    assert finding.message == "Invalid value: 120: SetWeight needs to be between 0 and 100"


def test_a_value_that_cannot_be_read_is_told() -> None:
    assert spoiled("rollout.yaml", "replicas: 2", "replicas: two").field == "spec.replicas"


def test_a_missing_service_is_an_error() -> None:
    findings = found({"services.yaml": SERVICES.partition("---\n")[0]})
    assert ("rollout.yaml", "spec.strategy.canary.canaryService") in {(f.file, f.field) for f in findings if f.severity is Severity.ERROR}


def test_a_service_that_selects_other_pods_is_told() -> None:
    findings = found({"services.yaml": SERVICES.replace("selector: {app: web}", "selector: {app: shop}", 1)})
    assert [f.message for f in findings] == ['Invalid value: "web": Service "web" has unmatch label "app" in rollout']


def test_a_missing_template_is_an_error_where_templates_are_kept() -> None:
    finding = spoiled("rollout.yaml", "templateName: rate", "templateName: rates")
    assert finding.severity is Severity.ERROR
    assert finding.field == "spec.strategy.canary.analysis.templates[0].templateName"


def test_an_argument_without_a_value_is_told() -> None:
    finding = spoiled("rollout.yaml", "        args:\n          - {name: service, value: web}\n", "")
    assert finding.message == "missing analysis arguments in rollout spec"


def test_an_argument_that_nobody_declares_is_noted() -> None:
    finding = spoiled(
        "rollout.yaml", "- {name: service, value: web}", "- {name: service, value: web}\n          - {name: sevrice, value: x}"
    )
    assert (finding.severity, finding.line) == (Severity.NOTE, 29)


def test_a_route_that_is_not_in_the_virtual_service_is_told() -> None:
    finding = spoiled("rollout.yaml", "routes: [primary]", "routes: [secondary]")
    assert "HTTP Route 'secondary' is not found" in finding.message


def test_a_router_that_is_not_served_is_told_by_name() -> None:
    finding = spoiled("rollout.yaml", "        istio:\n", "        kong: {}\n        istio:\n")
    assert finding.message.startswith("unknown field; known here: alb, ambassador, apisix, appMesh, istio")


INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
    - {host: web.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}
"""
ISTIO = """\
        istio:
          virtualService:
            name: web
            routes: [primary]
"""
NGINX = "        nginx:\n          stableIngress: web\n"


def test_an_ingress_of_nginx_is_looked_up_and_its_canary_is_not_missed() -> None:
    def told(*ingresses: str, config: str = NGINX) -> list[tuple[Severity, str]]:
        files = {"rollout.yaml": ROLLOUT.replace(ISTIO, config), "ingress.yaml": "---\n".join(ingresses)}
        return [(finding.severity, finding.message) for finding in found(files)]

    assert told(INGRESS) == []
    [(_, missing)] = told()
    assert "Ingress" in missing and "web" in missing
    assert told(INGRESS.replace("name: web, port", "name: other, port")) == [
        (Severity.ERROR, "Service shop/other is not among these files: add it, or correct the name"),
        (Severity.ERROR, "ingress `web` has no rules using service web backend"),
    ]
    assert told(INGRESS, INGRESS.replace("{name: web, namespace", "{name: web-web-canary, namespace")) == [
        (Severity.ERROR, "Ingress shop/web-web-canary is made by this Rollout and among the files: take it out of them")
    ]
    [(severity, words)] = told(INGRESS, config=f"{NGINX}          additionalIngressAnnotations: {{canary-weight: '5'}}\n")
    assert severity is Severity.NOTE and "has no effect" in words


def test_a_header_value_that_istio_refuses_is_told_before_the_step() -> None:
    header = "- setHeaderRoute: {name: h, match: [{headerName: x, headerValue: {regex: '*'}}]}"
    text = ROLLOUT.replace("- setWeight: 20", f"- setWeight: 20\n        {header}")
    text = text.replace("        istio:\n", "        managedRoutes: [{name: h}]\n        istio:\n")
    (finding,) = found({"rollout.yaml": text})
    assert (finding.line, finding.severity) == (32, Severity.ERROR) and "use .* for any value" in finding.message


def test_a_short_host_in_a_virtual_service_elsewhere_is_noted() -> None:
    routes = ROUTES.replace("namespace: shop}", "namespace: edge}").replace("host: web}", "host: web.shop.svc.cluster.local}")
    routes = routes.replace("host: web-canary.shop.svc.cluster.local}", "host: web-canary}")
    findings = found(
        {"rollout.yaml": ROLLOUT.replace("name: web\n            routes", "name: web.edge\n            routes"), "routes.yaml": routes}
    )
    words = "host web-canary is looked up in namespace edge: write web-canary.shop.svc.cluster.local"
    assert words in [finding.message for finding in findings if finding.file == "rollout.yaml"]


def test_a_workload_reference_lends_template_and_selector() -> None:
    deployment = ROLLOUT.partition("  strategy:")[0].replace("argoproj.io/v1alpha1", "apps/v1").replace("Rollout", "Deployment")
    head, _, rest = ROLLOUT.partition("  selector:")
    borrowing = f"{head}  workloadRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}\n  strategy:{rest.partition('  strategy:')[2]}"
    assert found({"rollout.yaml": borrowing, "deployment.yaml": deployment}) == []
    findings = found({"rollout.yaml": borrowing})
    assert [(f.severity, f.field) for f in findings] == [(Severity.ERROR, "spec.workloadRef.name")]
    alone = {"services.yaml": "", "routes.yaml": "", "template.yaml": "", "policy.yaml": ""}
    notes = found({**alone, "rollout.yaml": borrowing.replace("setWeight: 20", "setWeight: -1")}, whole=False)
    assert [f.field for f in notes if f.severity is Severity.ERROR] == ["spec.strategy.steps[0].setWeight"]


def test_a_rollout_waits_only_for_analyses_that_end() -> None:
    endless = TEMPLATE.replace("      count: 3\n", "")
    step = ROLLOUT.replace("- setWeight: 20", "- analysis: {templates: [{templateName: rate}], args: [{name: service, value: web}]}")
    findings = found({"template.yaml": endless, "rollout.yaml": step, "policy.yaml": ""})
    assert [f.field for f in findings] == ["spec.strategy.canary.steps[0].analysis"]
    assert "runs indefinitely" in findings[0].message


def test_a_router_plug_in_that_is_not_installed_here_is_noted_and_the_rest_is_looked_at() -> None:
    finding = spoiled("rollout.yaml", "        istio:\n", "        plugins: {example.com/mesh: {}}\n        istio:\n")
    assert finding.severity == "note" and "router plug-in example.com/mesh is not installed here" in finding.message


def test_a_virtual_router_behind_a_virtual_service_is_looked_up_among_the_files() -> None:
    def told(text: str) -> list[str]:
        findings = lint({"web.yaml": text.encode()}, RenderOptions(namespace="default"), whole=True).findings
        return [one.message for one in findings if one.severity is Severity.ERROR]

    text = BUILT["App Mesh"]
    assert told(text) == []
    assert told(text.replace("kind: VirtualRouter", "kind: Other")) == [
        "VirtualRouter default/shop is not among these files: add it, or correct the name"
    ]
    [words] = told(text.replace("weightedTargets", "targets"))
    assert "VirtualRouter `shop`, route `shop`: httpRoute.action.weightedTargets has 0 targets: it must have exactly two" in words
