"""A small fleet to look at: one release in motion, one held, one that waits for a person, one degraded, two at rest, and their sources."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CONFIGMAPS,
    NAMESPACES,
    RELEASE_POLICIES,
)
from reconciler.releases.model import (
    Cause,
    Change,
    Evidence,
    ReleasePhase,
    ReleaseStatus,
    Restore,
    RestoreState,
    Verb,
    Verdict,
)
from reconciler.releases.share.record import ObservedShare, ShareFinding
from reconciler.sources.inventory import BlockedPrune, Inventory, InventoryEntry, render_inventory, workload_key
from reconciler.sources.model import Commit, Pull
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from tests.kit.clusters import Api
from tests.kit.fleet_pieces import QUERY, Piece, metadata, release, replica_set, rollout, run, step_event, weight_event

STEPS: list[Manifest] = [
    {"setWeight": 5},
    {"pause": {"duration": "2m"}},
    {"analysis": {"templates": [{"templateName": "success-rate"}]}},
    {"setWeight": 25},
    {"pause": {"duration": "10m"}},
    {"setWeight": 60},
    {"pause": {"duration": "15m"}},
]


def storefront(now: datetime) -> Iterator[Piece]:
    """In motion: at 25 %, in a pause of ten minutes, measured twice."""
    begun = now - timedelta(minutes=15)
    paused = now - timedelta(minutes=3)
    weights = {"canary": {"weight": 25, "podTemplateHash": "storefront-new"}, "stable": {"weight": 75}}
    yield rollout(
        "storefront",
        "shop",
        "registry.example.com/shop/storefront:2.8.0",
        STEPS,
        stableRS="storefront-old",
        phase="Paused",
        message="CanaryPauseStep",
        currentStepIndex=4,
        pauseConditions=[{"reason": "CanaryPauseStep", "startTime": render_moment(paused)}],
        controllerPause=True,
        updatedReplicas=1,
        canary={"weights": weights},
    )
    yield from replica_set("storefront", "shop", "old", 7, "registry.example.com/shop/storefront:2.7.3", 3)
    yield from replica_set("storefront", "shop", "new", 8, "registry.example.com/shop/storefront:2.8.0", 1)
    yield release(
        "storefront-3f9a1c2b-8d0e4f7",
        "storefront",
        "shop",
        begun,
        images={"storefront": "registry.example.com/shop/storefront:2.8.0"},
        before={"storefront": "registry.example.com/shop/storefront:2.7.3"},
        commit=Commit(sha="8d0e4f7a" * 5, author="Ann Lee <ann@example.com>", subject="Show stock on the product page", time=begun),
        pull=Pull(number=412, url="https://git.example.com/shop/manifests/pull/412", title="Show stock on the product page"),
        changes=(
            Change(
                file="production/storefront.yaml",
                line=24,
                field="spec.template.spec.containers[0].image",
                old="registry.example.com/shop/storefront:2.7.3",
                new="registry.example.com/shop/storefront:2.8.0",
            ),
            Change(file="production/storefront.yaml", line=31, field="spec.template.spec.containers[0].env[2].value", old="off", new="on"),
        ),
        status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash="storefront-new", share=served(begun, paused)),
    )
    yield weight_event("storefront.1", "storefront", "shop", begun + timedelta(seconds=20), 5)
    yield weight_event("storefront.2", "storefront", "shop", paused - timedelta(seconds=10), 25)
    yield step_event("storefront.3", "storefront", paused - timedelta(seconds=55), "3/7", "analysis")
    values = ["[0.991]", "[0.987]", "[0.94]", "[0.993]", "[0.996]"]
    yield run("storefront-8-2", "storefront", "shop", begun + timedelta(minutes=3), values, step=2, phase="Successful")
    late = ["[0.99]", "[0.994]", "[0.998]"]
    yield run("storefront-8-bg", "storefront", "shop", paused, late, kind="Background", metric="availability")


def served(begun: datetime, paused: datetime) -> ObservedShare:
    """What the canary was found to serve: as routed but once."""
    asked = ((4, 5, 5.4), (8, 5, 4.8), (11, 5, 5.1), (14, 25, 24.2))
    batches = tuple(
        ShareFinding(configured=weight, served=share, tolerated=2.6, requests=2400, until=begun + timedelta(minutes=minutes))
        for minutes, weight, share in asked
    )
    return ObservedShare(digest="asked", weight=25, total=100, until=paused, found=batches[-1], batches=batches)


def checkout(now: datetime) -> Iterator[Piece]:
    """Held: it failed, came home, and Git was restored."""
    begun = now - timedelta(hours=2)
    yield rollout("checkout", "shop", "registry.example.com/shop/checkout:1.13.2", STEPS, phase="Healthy", currentStepIndex=7)
    yield from replica_set("checkout", "shop", "new", 4, "registry.example.com/shop/checkout:1.13.2", 2)
    evidence = (
        Evidence(
            run="checkout-9-2",
            metric="success-rate",
            phase="Failed",
            condition="succeeds when result[0] >= 0.95",
            query=QUERY.replace("storefront", "checkout"),
            values=("[0.91]", "[0.87]"),
            failed=2,
            founded=2,
            failed_on_data=True,
            limit="failureLimit 1",
        ),
    )
    yield release(
        "checkout-77b1e0aa-51c2d3e",
        "checkout",
        "shop",
        begun,
        images={"checkout": "registry.example.com/shop/checkout:1.14.0"},
        before={"checkout": "registry.example.com/shop/checkout:1.13.2"},
        commit=Commit(sha="51c2d3e4" * 5, author="Bo Chen <bo@example.com>", subject="Retry card payments", time=begun),
        pull=Pull(number=409, url="https://git.example.com/shop/manifests/pull/409", title="Retry card payments"),
        changes=(
            Change(
                file="production/checkout.yaml",
                line=19,
                field="spec.template.spec.containers[0].image",
                old="registry.example.com/shop/checkout:1.13.2",
                new="registry.example.com/shop/checkout:1.14.0",
            ),
        ),
        status=ReleaseStatus(
            phase=ReleasePhase.CLOSED,
            verdict=Verdict.FAILED,
            reason="success-rate Failed: 2 of 2 measurements below 0.95",
            decided_at=begun + timedelta(minutes=9),
            pod_hash="checkout-bad",
            held=True,
            keep_until=begun + timedelta(hours=1),
            evidence=evidence,
            restore=Restore(
                state=RestoreState.PUSHED,
                sha="e" * 40,
                attempts=1,
                pushed_at=begun + timedelta(minutes=9, seconds=12),
                changes=(
                    Change(
                        file="production/checkout.yaml",
                        line=19,
                        field="spec.template.spec.containers[0].image",
                        old="registry.example.com/shop/checkout:1.14.0",
                        new="registry.example.com/shop/checkout:1.13.2",
                    ),
                ),
            ),
            verbs=(Verb(verb="abort", at=begun + timedelta(minutes=9), reason="the analysis of step 3 failed"),),
        ),
    )


def others(now: datetime) -> Iterator[Piece]:
    """One that waits, one degraded, and what is at rest."""
    begun = now - timedelta(minutes=50)
    yield rollout(
        "search",
        "shop",
        "registry.example.com/shop/search:5.0.0",
        [{"setWeight": 50}, {"pause": {}}],
        stableRS="search-old",
        phase="Paused",
        message="CanaryPauseStep",
        currentStepIndex=1,
        pauseConditions=[{"reason": "CanaryPauseStep", "startTime": render_moment(begun)}],
        controllerPause=True,
        canary={"weights": {"canary": {"weight": 50}}},
    )
    yield release(
        "search-5a5a5a5a-0c0ffee",
        "search",
        "shop",
        begun,
        images={"search": "registry.example.com/shop/search:5.0.0"},
        before={"search": "registry.example.com/shop/search:4.9.1"},
        environment="staging",
        commit=Commit(sha="0c0ffee1" * 5, author="Dee <dee@example.com>", subject="New ranking", time=begun),
        status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash="search-new"),
    )
    condition = {"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": 'metric "errors" assessed Failed'}
    yield rollout(
        "ledger",
        "pay",
        "registry.example.com/pay/ledger:3.2.0",
        STEPS,
        phase="Degraded",
        abort=True,
        conditions=[condition],
        currentStepIndex=0,
    )
    for number, name in enumerate(("cart", "mailer")):
        yield rollout(name, "shop", f"registry.example.com/shop/{name}:1.{number}.4", STEPS, phase="Healthy", currentStepIndex=7)
        yield release(
            f"{name}-11aa22bb-7777777",
            name,
            "shop",
            now - timedelta(days=1, hours=number),
            images={name: f"registry.example.com/shop/{name}:1.{number}.4"},
            before={name: f"registry.example.com/shop/{name}:1.{number}.3"},
            commit=Commit(sha="77777777" * 5, author="renovate[bot] <bot@example.com>", subject=f"Update {name} to 1.{number}.4"),
            cause=Cause.PUSHED,
            status=ReleaseStatus(
                phase=ReleasePhase.CLOSED,
                verdict=Verdict.PASSED,
                reason="12 measurements passed",
                decided_at=now - timedelta(days=1, hours=number) + timedelta(minutes=42),
                promoted_at=now - timedelta(days=1, hours=number) + timedelta(minutes=40),
                pod_hash=f"{name}-new",
            ),
        )


def records() -> Iterator[Piece]:
    """What sources have on record, a policy and a template."""
    entries = tuple(
        InventoryEntry(("argoproj.io/v1alpha1", "Rollout", "shop", name), f"uid of {name}", f"production/{name}.yaml")
        for name in ("cart", "checkout", "mailer", "search", "storefront")
    )
    problem = RecordedProblem(
        reason=Reason.MISSHAPEN,
        file="production/gateway.yaml",
        line=12,
        object="VirtualService shop/gateway",
        message="spec.http[0].route[1].weight: 120 is not between 0 and 100",
        remedy="correct the field and push",
        mender=Mender.AUTHOR,
    )
    inventory = Inventory(
        commit="8d0e4f7a" * 5,
        renderer="kustomize 5.8.1",
        entries=entries,
        workloads={workload_key("shop", "Rollout", name): f"identity of {name}-11aa22bb-7777777" for name in ("cart", "mailer")},
        problems=(problem,),
        ignored=("production/renovate.json: holds no Kubernetes object",),
        blocked=BlockedPrune(digest="0123456789abcdef", objects=("ConfigMap shop/old-flags", "Service shop/legacy", "Rollout shop/legacy")),
    )
    yield Piece(CONFIGMAPS, render_inventory("shop", "reconciler", inventory))
    yield Piece(
        RELEASE_POLICIES,
        {
            "apiVersion": "reconciler.dev/v1alpha1",
            "kind": "ReleasePolicy",
            "metadata": metadata("shop", "shop"),
            "spec": {"minimumSample": 20, "keepRejected": "30m", "workloads": [{"kind": "Rollout", "name": "storefront"}]},
        },
    )
    metric = {
        "name": "success-rate",
        "interval": "1m",
        "count": 5,
        "failureLimit": 1,
        "successCondition": "result[0] >= 0.95",
        "provider": {"prometheus": {"query": QUERY}},
    }
    yield Piece(
        ANALYSIS_TEMPLATES,
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": metadata("success-rate", "shop"),
            "spec": {"metrics": [metric]},
        },
    )


async def fill(cluster: Api, now: datetime) -> None:
    """Put the fleet into a cluster."""
    await cluster.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pay"}})
    made: dict[str, Manifest] = {}
    for piece in (*storefront(now), *checkout(now), *others(now), *records()):
        await put(cluster, piece, made)


async def put(cluster: Api, piece: Piece, made: dict[str, Manifest]) -> None:
    """Create one object under its owner, then write its status; it is as old as it says."""
    manifest = {key: value for key, value in piece.manifest.items() if key != "status"}
    if piece.owner:
        owner = made[piece.owner]
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **named(owner), "controller": True}
        manifest = {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [reference]}}
    created = await cluster.client.create(piece.resource, manifest)
    made[f"{piece.manifest['kind']}/{created['metadata']['name']}"] = created
    ref = ObjectRef(piece.resource, created["metadata"].get("namespace", ""), created["metadata"]["name"])
    if status := piece.manifest.get("status"):
        subresource = "" if piece.resource == ANALYSIS_RUNS else "status"
        created = await cluster.client.patch(ref, {"status": status}, subresource=subresource)
    if piece.at is not None:
        store, place = cluster.server.store, (ref.namespace, ref.name)
        collection = store.collection(piece.resource.group, piece.resource.plural)
        aged = {**created, "metadata": {**created["metadata"], "creationTimestamp": render_moment(piece.at)}}
        store.put(collection, place, aged)


def named(owner: Manifest) -> Manifest:
    return {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
