"""One small shop for stories without Envoy: a cluster, a Git host, one canary behind a VirtualService, and a model of its traffic.

The model answers the analysis with the success rate of a version once that version really has ready pods and a share of the traffic.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.cluster import Cluster
from reconciler_sandbox.githost.host import GitHost
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.podnetwork import PodPorts
from reconciler_sandbox.rehearsal.fittings import BOT, REPOSITORY, definitions, namespaces, secret_file, settings

from tests.kit.killing import Ground
from tests.kit.sandbox import QUICK

Manifest = dict[str, Any]
IMAGE = "registry.example.com/shop/web"
BAD = "bad"
FOLDER = "environments/demo"
ROLLOUT_FILE, NETWORK_FILE, ANALYSIS_FILE = f"{FOLDER}/rollout.yaml", f"{FOLDER}/network.yaml", f"{FOLDER}/analysis.yaml"
HASH = "rollouts-pod-template-hash"
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"
RELEASES = "/apis/reconciler.dev/v1alpha1/namespaces/shop/releases"
REPLICA_SETS = "/apis/apps/v1/namespaces/shop/replicasets"
VIRTUAL_SERVICES = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices"
ANN = "Ann Author <ann@example.com>"

NETWORK = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web-canary, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  http:
    - name: primary
      route:
        - destination: {host: web}
          weight: 100
        - destination: {host: web-canary}
          weight: 0
"""
ANALYSIS = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate, namespace: shop}
spec:
  args: [{name: version}]
  metrics:
    - name: success-rate
      interval: 100ms
      count: 2
      failureLimit: 1
      successCondition: len(result) > 0 && result[0] >= 0.95
      failureCondition: len(result) > 0 && result[0] < 0.95
      provider:
        prometheus: {query: "success_rate{version=\\"{{args.version}}\\"}"}
"""
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
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: %(image)s
          ports: [{name: http, containerPort: 8080}]
          env:
            - {name: CURRENCY, value: EUR}
  strategy:
    canary:
      stableService: web
      canaryService: web-canary
      abortScaleDownDelaySeconds: 1
      trafficRouting:
        istio:
          virtualService: {name: web, routes: [primary]}
      steps:
%(steps)s
"""
STEPS = """\
        - setWeight: 30
        - analysis:
            templates: [{templateName: success-rate}]
            args:
              - name: version
                valueFrom: {podTemplateHashValue: Latest}
        - setWeight: 60
"""


def rollout(version: str, steps: str = STEPS) -> bytes:
    """The Rollout's file at a version."""
    return (ROLLOUT % {"image": f"{IMAGE}:{version}", "steps": steps.rstrip()}).encode()


@dataclass(slots=True)
class Shop:
    """The shop and what stories ask of it."""

    api: ApiClient
    host: GitHost
    ground: Ground
    steps: str = STEPS
    pulls: dict[str, int] = field(default_factory=dict)

    def content(self, version: str) -> bytes:
        """The Rollout's file at a version."""
        return rollout(version, self.steps)

    async def push(self, version: str, content: bytes | None = None) -> None:
        """A pull request for a version, merged; `content` is the whole file if it is not only the version that changes."""
        files = {ROLLOUT_FILE: content or self.content(version)}
        pull = await self.host.open_pull(REPOSITORY, f"web-{version}", f"web {version}", files, ANN)
        self.pulls[version] = pull.number
        await self.host.merge_pull(REPOSITORY, pull.number)

    async def write(self, files: Mapping[str, bytes | None], message: str) -> str:
        """A push straight to the branch; returns the commit."""
        return await self.host.push_files(REPOSITORY, "main", files, message, ANN)

    async def rollout(self) -> Manifest:
        return await self.api.get(f"{ROLLOUTS}/web") or {}

    async def image(self) -> str:
        """The version that the live Rollout asks for."""
        found = await self.rollout()
        return found["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2] if found else ""

    async def phase(self) -> str:
        """The Rollout's phase, empty until the controller has seen its newest generation."""
        found = await self.rollout()
        status = found.get("status") or {}
        seen = status.get("observedGeneration") == str((found.get("metadata") or {}).get("generation"))
        return str(status.get("phase", "")) if seen else ""

    async def weights(self) -> tuple[int, int]:
        """Stable and canary, as the VirtualService has them."""
        found = await self.api.get(f"{VIRTUAL_SERVICES}/web") or {}
        routes = found["spec"]["http"][0]["route"]
        return routes[0].get("weight", 0), routes[1].get("weight", 0)

    async def releases(self, version: str) -> list[Manifest]:
        """The Release objects of a version, oldest first."""
        found = [r for r in await self.api.list(RELEASES) if any(image.endswith(f":{version}") for image in r["spec"]["images"].values())]
        return sorted(found, key=lambda r: (r["metadata"]["creationTimestamp"], r["metadata"]["name"]))

    async def release(self, version: str) -> Manifest:
        """The status of the only release of a version; empty while there is none."""
        found = await self.releases(version)
        assert len(found) <= 1, [r["metadata"]["name"] for r in found]
        return (found[0].get("status") or {}) if found else {}

    async def release_names(self) -> list[str]:
        return [r["metadata"]["name"] for r in await self.api.list(RELEASES)]

    async def selected(self) -> str:
        """The version that the stable Service selects."""
        service = await self.api.get("/api/v1/namespaces/shop/services/web") or {}
        pod_hash = service["spec"]["selector"].get(HASH)
        found = [r for r in await self.api.list(REPLICA_SETS) if labels(r).get(HASH) == pod_hash]
        return version_of(found[0]) if found else ""

    async def available(self, version: str) -> int:
        """How many pods of a version are available."""
        found = [r for r in await self.api.list(REPLICA_SETS) if version_of(r) == version]
        return sum((r.get("status") or {}).get("availableReplicas") or 0 for r in found)

    async def asked(self) -> bytes:
        """What the branch holds."""
        return await self.host.read(REPOSITORY, ROLLOUT_FILE, "main")

    async def restores(self) -> int:
        """How many restoring commits are on the branch."""
        return sum("Reconciler-Release:" in commit.message for commit in await self.host.log(REPOSITORY))

    async def settled_at(self, version: str) -> bool:
        """Whether a version is proven, serves alone and nothing is under way."""
        found = await self.releases(version)
        proven = any((release.get("status") or {}).get("verdict") == "passed" for release in found)
        return proven and await self.phase() == "Healthy" and await self.image() == version

    async def inventory(self) -> Mapping[str, str]:
        """What the source has on record: the commit it is at, the objects it wrote, its problems."""
        found = await self.api.get("/api/v1/namespaces/reconciler/configmaps/reconciler-source-shop") or {}
        return found.get("data") or {}

    def comments(self, version: str) -> list[str]:
        """What was said on the pull request of a version."""
        return [comment.body for comment in self.host.comments(REPOSITORY, self.pulls[version])]


def images(replica_set: Manifest) -> list[str]:
    return [container["image"] for container in replica_set["spec"]["template"]["spec"]["containers"]]


def version_of(replica_set: Manifest) -> str:
    """The version in a ReplicaSet's image."""
    return str(replica_set["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2])


@asynccontextmanager
async def shop(
    folder: Path,
    steps: str = STEPS,
    *,
    files: Mapping[str, str] | None = None,
    network: Network | None = None,
    images: Mapping[str, Behaviour] | None = None,
) -> AsyncIterator[Shop]:
    """A shop whose repository holds version 1; no daemon runs yet. `files` stand beside or in place of its own.

    `network` is the pods', for a mesh; `images` behave otherwise than as good versions.
    """
    versions = {f"{IMAGE}:{name}": Behaviour(name) for name in ("1", "2", "3", BAD)}
    host = GitHost(folder / "hosted", users={BOT: "token", "ann": "ann"})
    versions, network = {**versions, **(images or {})}, network or Network(ports=PodPorts())
    async with Cluster(versions, pace=QUICK, network=network) as cluster, numbers(cluster.api) as prometheus:
        await host.start()
        try:
            others = {name: text.encode() for name, text in (files or {}).items()}
            whole = {ROLLOUT_FILE: rollout("1", steps), NETWORK_FILE: NETWORK.encode(), ANALYSIS_FILE: ANALYSIS.encode(), **others}
            await asyncio.gather(host.create_repository(REPOSITORY, whole, author=ANN), define_kinds(cluster.api))
            ground = Ground(cluster.server, host, write_settings(host, prometheus, folder), folder / "daemon")
            yield Shop(cluster.api, host, ground, steps)
        finally:
            await host.stop()


def write_settings(host: GitHost, prometheus: str, folder: Path) -> Path:
    """The `reconciler.yaml` of the shop: short intervals, a lease that is lost within seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    token = secret_file(folder / "token", host.access.token(BOT))
    text = settings(repository=host.clone_url(REPOSITORY), forge=host.api, prometheus=prometheus, listen="127.0.0.1:0", token_file=token)
    document = yaml.safe_load(text)
    document["sources"][0]["interval"] = "1s"
    document["lease"] = {"duration": "2s", "renewEvery": "400ms"}
    written = folder / "reconciler.yaml"
    written.write_text(yaml.safe_dump(document))
    return written


async def define_kinds(api: ApiClient) -> None:
    for definition in definitions():
        await api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    for namespace in namespaces():
        await api.create("/api/v1/namespaces", namespace)


# -- the model of traffic ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def numbers(api: ApiClient) -> AsyncIterator[str]:
    """A Prometheus that knows one query, on loopback; its address."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        form = await request.post()
        version = str(form.get("query", "")).partition('version="')[2].partition('"')[0]
        rate = await success_rate(api, version)
        result = [] if rate is None else [{"metric": {"version": version}, "value": [0, str(rate)]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})

    runner = web.ServerRunner(web.Server(serve, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def success_rate(api: ApiClient, pod_hash: str) -> float | None:
    """The rate of one version; None while nobody is sent to it or nobody serves there."""
    found = next((r for r in await api.list(REPLICA_SETS) if labels(r).get(HASH) == pod_hash), None)
    if found is None or not (found.get("status") or {}).get("availableReplicas"):
        return None
    service = await api.get("/api/v1/namespaces/shop/services/web-canary") or {}
    routes = (await api.get(f"{VIRTUAL_SERVICES}/web") or {})["spec"]["http"][0]["route"]
    if service["spec"]["selector"].get(HASH) != pod_hash or not routes[1].get("weight"):
        return None
    return 0.4 if version_of(found).startswith(BAD) else 1.0


def labels(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("labels") or {}
