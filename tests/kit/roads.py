"""Every router that carries real requests in the sandbox, with what a repository of its users holds, and the whole daemon on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from reconciler_sandbox.mesh.mesh import Mesh
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.node.network import Address, Network
from reconciler_sandbox.podnetwork import PodPorts

from tests.kit.killing import Life, alive
from tests.kit.mesh import Visitor
from tests.kit.shop import ANALYSIS_FILE, BAD, IMAGE, NETWORK, NETWORK_FILE, ROLLOUT_FILE, ROLLOUTS, Shop, rollout, shop
from tests.kit.wait import until

DEADLINE = 60.0
GATEWAY_IP, HOST, CURL = "10.0.0.80", "web.example.com", "curlimages/curl:8.10.1"
HEADER = {"X_Tester": "yes"}
ISTIO = """\
        istio:
          virtualService: {name: web, routes: [primary]}
"""
SERVICES_NAMED = """\
      stableService: web
      canaryService: web-canary
"""
TAG = """\
        - setHeaderRoute: {name: testers, match: [{headerName: X-Tester, headerValue: {exact: "yes"}}]}
"""
STEPS = """\
        - setCanaryScale: {replicas: 1}
%(tag)s        - analysis: {templates: [{templateName: smoke}]}
        - pause: {}
        - setCanaryScale: {%(scale)s}
        - setWeight: 40
        - pause: {}
        - setWeight: 60
        - pause: {}
"""
SMOKE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: smoke, namespace: shop}
spec:
  metrics:
    - name: smoke
      initialDelay: 500ms
      interval: 200ms
      count: 3
      provider:
        job:
          spec:
            backoffLimit: 0
            template:
              spec:
                restartPolicy: Never
                hostAliases: [{ip: %(ip)s, hostnames: [%(host)s]}]
                containers:
                  - name: caller
                    image: %(curl)s
                    command: [curl]
                    args: [--fail, --silent, --show-error, --max-time, "5", --header, "X-Tester: yes", "http://%(host)s%(path)s"]
"""
ISTIO_GATEWAY = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
VIRTUAL_SERVICE = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  %(reach)s
  http:
    - name: primary
      retries: {attempts: 1, retryOn: "connect-failure,refused-stream"}
      route:
        - destination: %(stable)s
          weight: 100
        - destination: %(canary)s
          weight: 0
"""
REACHED = "hosts: [web.example.com]\n  gateways: [public]"
BY_HOST = {"stable": "{host: web}", "canary": "{host: web-canary}"}
BY_SUBSET = {"stable": "{host: web, subset: stable}", "canary": "{host: web, subset: canary}"}
SUBSETS = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec:
  host: web
  subsets: [{name: stable, labels: {app: web}}, {name: canary, labels: {app: web}}]
"""
ROOT = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [web.example.com]
  gateways: [public]
  http:
    - match: [{uri: {prefix: /}}]
      delegate: {name: web, namespace: shop}
"""
ATTACHED = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: %(kind)s
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: public}]
  hostnames: [web.example.com]
  rules:
    - matches: [%(match)s]
      backendRefs: [{name: web, port: 80}, {name: web-canary, port: 80, weight: 0}]
"""
INGRESS = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: web.example.com
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]
"""
NGINX = """\
        nginx:
          stableIngress: shop
          additionalIngressAnnotations: {canary-by-header: X-Tester, canary-by-header-value: "yes"}
"""
SUBSETS_NAMED = """\
        managedRoutes: [{name: testers}]
        istio:
          virtualService: {name: web, routes: [primary]}
          destinationRule: {name: web, stableSubsetName: stable, canarySubsetName: canary}
"""


@dataclass(frozen=True)
class Road:
    """One router: its part of the Rollout, its objects, whether a step lets testers in, and the path that its requests take."""

    routing: str
    objects: str
    tag: str = TAG
    path: str = "/"
    services: str = SERVICES_NAMED

    @property
    def network(self) -> str:
        """The two Services, and this router's objects in place of the VirtualService."""
        return "---\n".join(text for text in NETWORK.split("---\n") if "VirtualService" not in text) + self.objects

    @property
    def steps(self) -> str:
        # At weight 0 `matchTrafficWeight` asks for no pod, and a header route goes with the last one (contract 9.1, row 4).
        return STEPS % {"tag": self.tag, "scale": "weight: 60" if self.tag else "matchTrafficWeight: true"}

    def content(self, version: str, steps: str = "") -> bytes:
        """The Rollout's file at a version."""
        text = rollout(version, steps or self.steps).decode()
        return text.replace(ISTIO, self.routing).replace(SERVICES_NAMED, self.services).encode()

    def smoke(self) -> str:
        return SMOKE % {"ip": GATEWAY_IP, "host": HOST, "curl": CURL, "path": self.path}


def _gateway_api(kind: str, key: str, match: str, path: str) -> Road:
    routing = f"        managedRoutes: [{{name: testers}}]\n        plugins: {{argoproj-labs/gatewayAPI: {{{key}: web}}}}\n"
    return Road(routing, ATTACHED % {"kind": kind, "match": match}, path=path)


MANAGED = f"        managedRoutes: [{{name: testers}}]\n{ISTIO}"
ROADS = {
    "istio": Road(MANAGED, ISTIO_GATEWAY + VIRTUAL_SERVICE % {"reach": REACHED, **BY_HOST}),
    "istio subsets": Road(SUBSETS_NAMED, ISTIO_GATEWAY + VIRTUAL_SERVICE % {"reach": REACHED, **BY_SUBSET} + SUBSETS, services=""),
    "istio delegate": Road(MANAGED, ISTIO_GATEWAY + ROOT + VIRTUAL_SERVICE % {"reach": "exportTo: [.]", **BY_HOST}),
    "http route": _gateway_api("HTTPRoute", "httpRoute", "{path: {type: PathPrefix, value: /}}", "/"),
    "grpc route": _gateway_api("GRPCRoute", "grpcRoute", "{method: {service: shop.Web}}", "/shop.Web/Get"),
    "nginx": Road(NGINX, INGRESS, tag=""),
}
KINDS = (
    "Ingress.networking.k8s.io",
    "Gateway.gateway.networking.k8s.io",
    "HTTPRoute.gateway.networking.k8s.io",
    "GRPCRoute.gateway.networking.k8s.io",
)


@dataclass
class Journey:
    """A shop on one road, with its daemon, its mesh and a visitor at the gateway."""

    road: Road
    place: Shop
    mesh: Mesh
    life: Life
    users: Visitor

    async def shares(self, count: int, **headers: str) -> dict[str, int]:
        """How many of so many visits each version answered, once all that the API holds is in force."""
        await self.mesh.settled()
        return dict(await self.users.shares(count, path=self.road.path, **headers))

    async def reached(self, claim: Callable[[], Awaitable[Any]]) -> None:
        async def holds() -> bool:
            self.life.raise_failure()
            return bool(await claim())

        await until(holds, DEADLINE)

    async def paused_at(self, step: int) -> None:
        async def holds() -> bool:
            status = (await self.place.rollout()).get("status") or {}
            return bool(status.get("pauseConditions")) and status.get("currentStepIndex") == step

        await self.reached(holds)

    async def resume(self) -> None:
        await self.place.api.patch(f"{ROLLOUTS}/web/status", {"status": {"pauseConditions": None}})


@asynccontextmanager
async def journey(folder: Path, road: Road, first: bytes = b"") -> AsyncIterator[Journey]:
    """The shop at version 1, or as `first` says, on a road; `bad` answers everybody with 500."""
    gateways: dict[str, Address] = {}
    network = Network(gateways=gateways, ports=PodPorts())
    images = {CURL: Behaviour("curl"), f"{IMAGE}:{BAD}": Behaviour(BAD, error_rate=1.0)}
    files = {NETWORK_FILE: road.network, ROLLOUT_FILE: (first or road.content("1")).decode(), ANALYSIS_FILE: road.smoke()}
    async with shop(folder, files=files, network=network, images=images) as place:
        settings = yaml.safe_load(place.ground.settings_file.read_text())
        settings["sources"][0]["allow"]["kinds"].extend(KINDS)
        place.ground.settings_file.write_text(yaml.safe_dump(settings))
        mesh = Mesh(place.api, folder=folder / "mesh", ports=network.ports)
        await mesh.start()
        gateways[GATEWAY_IP] = mesh.gateway_address()
        try:
            async with alive(place.ground) as life, aiohttp.ClientSession() as session:
                yield Journey(road, place, mesh, life, Visitor(session, mesh.gateway_address()))
        finally:
            await mesh.stop()
