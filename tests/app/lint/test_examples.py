"""Manifests of the kinds that tutorials and examples of the field show give no false error, and nothing in them is unsupported."""

import pytest

from reconciler.app.compat.look import compatibility
from reconciler.app.compat.rows import Likeness
from reconciler.app.lint.finding import Finding, Severity
from reconciler.app.lint.lint import lint
from reconciler.git.objects import Snapshot
from reconciler.sources.documents import manifests_of
from reconciler.sources.renderer import RenderOptions
from tests.kit.field_examples import BUILT

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  revisionHistoryLimit: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:1.0
          ports: [{name: http, containerPort: 8080, protocol: TCP}]
          resources: {requests: {memory: 16Mi, cpu: 5m}}
"""
SERVICES = "".join(
    f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: shop-{side}}}\n"
    "spec: {ports: [{port: 80, targetPort: http, name: http}], selector: {app: shop}}\n"
    for side in ("stable", "canary")
)
ROUTES = """\
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
    - name: primary
      route:
        - {destination: {host: shop-stable}, weight: 100}
        - {destination: {host: shop-canary}, weight: 0}
"""
ROUTED = """\
  strategy:
    canary:
      canaryService: shop-canary
      stableService: shop-stable
      trafficRouting:
        managedRoutes: [{name: mirror}]
        istio: {virtualService: {name: shop, routes: [primary]}}
      steps:
"""
TEMPLATE = """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: asked}
spec:
  args:
    - {name: address, valueFrom: {secretKeyRef: {name: example, key: address}}}
    - {name: every, value: 5s}
    - {name: times, value: "2"}
  metrics:
    - name: web
      count: "{{args.times}}"
      interval: "{{args.every}}"
      successCondition: result == 'It worked!'
      provider: {web: {url: "{{args.address}}", jsonPath: "{$.message}"}}
---
apiVersion: v1
kind: Secret
metadata: {name: example}
type: Opaque
data: {address: aHR0cHM6Ly9leGFtcGxlLmNvbQ==}
"""
JOB = """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: job}
spec:
  metrics:
    - name: job
      interval: 5s
      failureLimit: 1
      provider:
        job:
          spec:
            backoffLimit: 0
            template: {spec: {restartPolicy: Never, containers: [{name: try, image: "alpine:3", command: [sh, -c], args: [exit 0]}]}}
"""


def canary(*steps: str, more: str = "") -> str:
    """A canary without a router."""
    return "  strategy:\n    canary:\n" + more + "      steps:\n" + "".join(f"        - {step}\n" for step in steps)


def routed(*steps: str) -> str:
    """One that Istio routes."""
    return ROUTED + "".join(f"        - {step}\n" for step in steps) + SERVICES + ROUTES


ASKED, WAIT = "analysis: {templates: [{templateName: asked}]}", "pause: {}"
MIRROR = "setMirrorRoute: {name: mirror, percentage: 50, match: [{method: {exact: POST}, path: {prefix: /color}}]}"
TRIAL = "experiment: {templates: [{name: baseline, specRef: stable}, {name: canary, specRef: canary}]}"
GREEN = "  strategy: {blueGreen: {activeService: shop-stable, previewService: shop-canary, autoPromotionEnabled: false}}\n"
BORROWED = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 5
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  strategy: {canary: {steps: [{setWeight: 20}, {pause: {duration: 10s}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: "shop:1"}]}}
"""
BACKGROUND = "      analysis: {templates: [{templateName: job}]}\n"
MINUTES = ("setWeight: 10", "pause: {duration: 60}", "setWeight: 20", "pause: {duration: 60}")
EXAMPLES = {
    "canary": HEAD + canary("setWeight: 20", WAIT, "setWeight: 40", "pause: {duration: 40}", more="      maxSurge: 25%\n"),
    "rolling update": f"{HEAD}  minReadySeconds: 10\n  strategy: {{canary: {{maxSurge: 1, maxUnavailable: 0}}}}\n",
    "blue/green": HEAD + GREEN + SERVICES,
    "hosts": HEAD + routed("setWeight: 10", WAIT),
    "mirror": HEAD + routed("setCanaryScale: {weight: 50}", MIRROR, WAIT),
    "step analysis": HEAD + canary("setWeight: 25", ASKED, WAIT) + TEMPLATE,
    "background analysis": HEAD + canary(*MINUTES, more=BACKGROUND) + JOB,
    "baseline": HEAD + canary(TRIAL),
    "borrowed": BORROWED,
    **BUILT,
}


def found(text: str) -> list[Finding]:
    return list(lint({"example.yaml": text.encode()}, RenderOptions(namespace="default"), whole=True).findings)


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_what_the_field_shows_has_no_error(text: str) -> None:
    assert [str(finding) for finding in found(text) if finding.severity is Severity.ERROR] == []


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_what_the_field_shows_is_served(text: str) -> None:
    looked = compatibility(manifests_of(Snapshot("", "", {"example.yaml": text.encode()}), namespace="default"))
    assert looked.fields and list(looked.of(Likeness.UNSUPPORTED)) == []
    assert {word.row for word in looked.of(Likeness.STRICTER)} <= {"docs/compatibility.md#istio-destinations"}


def test_warnings_are_about_what_never_ends_only() -> None:
    warned = {name: [f.message for f in found(text) if f.severity is Severity.WARNING] for name, text in EXAMPLES.items()}
    assert {name for name, messages in warned.items() if messages} == {"baseline"}
