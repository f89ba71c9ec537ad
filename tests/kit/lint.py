"""Files for the linter's tests: one workload with everything it refers to, to be spoiled one field at a time."""

from reconciler.app.lint.finding import Finding
from reconciler.app.lint.library import Library
from reconciler.app.lint.lint import lint
from reconciler.git.objects import Snapshot
from reconciler.sources.documents import manifests_of

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.0
  strategy:
    canary:
      canaryService: web-canary
      stableService: web
      trafficRouting:
        istio:
          virtualService:
            name: web
            routes: [primary]
      analysis:
        templates:
          - {templateName: rate}
        args:
          - {name: service, value: web}
      steps:
        - setWeight: 20
        - pause: {duration: 10s}
"""
SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80}
---
apiVersion: v1
kind: Service
metadata: {name: web-canary, namespace: shop}
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80}
"""
ROUTES = """\
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.example.com]
  gateways: [mesh]
  http:
    - name: primary
      route:
        - destination: {host: web}
          weight: 100
        - destination: {host: web-canary.shop.svc.cluster.local}
          weight: 0
"""
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate, namespace: shop}
spec:
  args:
    - name: service
    - name: limit
      value: "0.95"
  metrics:
    - name: rate
      interval: 5s
      count: 3
      successCondition: result[0] >= {{args.limit}}
      provider:
        prometheus:
          query: sum(rate(requests{service="{{args.service}}"}[1m]))
"""
POLICY = """\
apiVersion: reconciler.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: web, namespace: shop}
spec:
  workloads:
    - {kind: Rollout, name: web}
  afterPromotion:
    window: 1m
    analysis:
      templates:
        - {templateName: rate}
      args:
        - {name: service, value: web}
"""
FILES = {"rollout.yaml": ROLLOUT, "services.yaml": SERVICES, "routes.yaml": ROUTES, "template.yaml": TEMPLATE, "policy.yaml": POLICY}


def found(files: dict[str, str] | None = None, *, whole: bool = True) -> list[Finding]:
    """What a lint of the good files finds, with some of them replaced (an empty text takes one away)."""
    texts = {**FILES, **(files or {})}
    return list(lint({name: text.encode() for name, text in texts.items() if text}, whole=whole).findings)


def spoiled(name: str, old: str, new: str) -> Finding:
    """The one thing found once a text in one file is replaced."""
    assert FILES[name].count(old) == 1, f"{old!r} must stand once in {name}"
    findings = found({name: FILES[name].replace(old, new)})
    assert len(findings) == 1, findings
    return findings[0]


def library(*texts: str, whole: bool = False) -> Library:
    """A library of some files."""
    return Library(manifests_of(Snapshot("", "", {f"{index}.yaml": text.encode() for index, text in enumerate(texts)})), whole)
