"""kubectl commands in scenes, each in a namespace of its own; what a command prints is compared, so order within a scene matters."""

from collections.abc import Mapping
from typing import Any

from tests.kit.apiserver import definition
from tests.real.kit.objects import config_map, deployment, lease, owned, pod, service

Json = dict[str, Any]
Command = str | tuple[str, Json]

IMAGE = "web:1"


def serving(name: str, replicas: int = 2) -> Json:
    return deployment(name, replicas=replicas, image=IMAGE)


def job(name: str) -> Json:
    container = {"name": "check", "image": "works:1"}
    spec = {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def canaries(group: str) -> Json:
    """A kind of its own for each run: definitions belong to the whole cluster."""
    body = definition()
    body["metadata"]["name"] = f"canaries.{group}"
    body["spec"]["group"] = group
    return body


def canary(group: str, name: str, **spec: Any) -> Json:
    return {"apiVersion": f"{group}/v1alpha1", "kind": "Canary", "metadata": {"name": name}, "spec": spec}


GHOST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ghost", "uid": "00000000-0000-4000-8000-000000000000"}}
ONE, TWO = config_map("c", {"a": "1"}), config_map("c", {"a": "2", "b": "3"})
GROUP = "GROUP"  # stands for the group of a run

SCENES: Mapping[str, tuple[Command, ...]] = {
    "config": (
        "get cm mine",
        ("create -f -", config_map("mine", {"a": "1", "b": "2"})),
        ("create -f -", config_map("mine", {"a": "1"})),
        ("create --dry-run=server -f -", config_map("dry", {"a": "1"})),
        "get cm mine -o name",
        "get cm mine -o json",
        "get cm mine -o yaml",
        "get cm mine -o jsonpath={.data.a}",
        "get cm mine -o custom-columns=N:.metadata.name,A:.data.a",
        "get cm mine -o go-template={{.data.b}}",
        "describe cm mine",
        "label cm mine x=y",
        "label cm mine x=z",
        "label cm mine x=z --overwrite",
        "label cm mine x=z --overwrite",
        "get cm -l x=z -o name",
        "get cm -l x!=z,x -o name",
        "label cm mine x-",
        "annotate cm mine note=hello",
        "annotate cm mine note-",
        'patch cm mine -p {"data":{"c":"3"}}',
        'patch cm mine -p {"data":{"c":"3"}}',
        'patch cm mine --type=merge -p {"data":{"c":null}}',
        'patch cm mine --type=json -p [{"op":"replace","path":"/data/a","value":"9"}]',
        'patch cm mine --type=json -p [{"op":"test","path":"/data/a","value":"8"}]',
        'patch cm mine --type=json -p [{"op":"remove","path":"/data/nope"}]',
        "get cm mine -o jsonpath={.data}",
        "get cm --field-selector=metadata.name=mine -o name",
        "get cm --field-selector=data.a=1",
        "get cm mine nope -o name",
        "delete cm mine",
        "delete cm mine",
        "delete cm mine --ignore-not-found",
    ),
    "apply": (
        ("apply -f -", ONE),
        ("apply -f -", ONE),
        ("diff -f -", ONE),
        ("apply --dry-run=server -f -", TWO),
        ("apply -f -", TWO),
        "get cm c -o yaml",
        ("apply -f -", ONE),
        "get cm c -o jsonpath={.data}",
        "apply view-last-applied cm c",
        ("replace -f -", TWO),
        ("create -f -", TWO),
        ("replace -f -", config_map("nope")),
        ("delete -f -", TWO),
        ("delete -f -", TWO),
        ("create -f -", config_map("Bad_Name")),
        ("create -f -", {"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "x"}}),
        ("create -f -", config_map("bound", namespace="elsewhere")),
    ),
    "server-side": (
        ("apply --server-side -f -", ONE),
        ("apply --server-side -f -", ONE),
        ("apply --server-side --field-manager=other -f -", TWO),
        ("apply --server-side --field-manager=other --force-conflicts -f -", TWO),
        "get cm c -o jsonpath={.data}",
        ("apply --server-side -f -", config_map("c")),
        "get cm c -o jsonpath={.data}",
        ("apply --server-side --dry-run=server --field-manager=third -f -", config_map("new", {"x": "1"})),
        "get cm new",
    ),
    "takeover": (
        ("apply -f -", ONE),
        ("apply --server-side -f -", TWO),
        "get cm c -o jsonpath={.data}",
        ("apply --server-side --force-conflicts -f -", TWO),
        "get cm c -o jsonpath={.data}",
        ("apply --server-side -f -", config_map("c", {"b": "3"})),
        "get cm c -o jsonpath={.data}",
        'patch cm c --type=merge --field-manager=editor -p {"data":{"b":"4"}}',
        ("apply --server-side -f -", config_map("c", {"b": "5"})),
        ("create -f -", config_map("made", {"x": "1"})),
        ("apply --server-side -f -", config_map("made", {"x": "2"})),
        ("apply -f -", config_map("made", {"x": "2"})),
        ("apply --validate=false -f -", {**config_map("made", {"x": "3"}), "nope": 1}),
        "get cm made -o jsonpath={.data}",
    ),
    "deployment": (
        ("create -f -", serving("web")),
        "rollout status deploy/web --timeout=30s",
        "get deploy web -o jsonpath={.spec}",
        "get deploy web -o jsonpath={.status.replicas}/{.status.readyReplicas}/{.status.updatedReplicas}/{.status.availableReplicas}",
        "get deploy web -o jsonpath={.metadata.generation}/{.metadata.annotations}",
        "get pods -l app=web --field-selector=status.phase=Running -o name",
        "wait --for=condition=Available deploy/web --timeout=10s",
        "wait --for=condition=Ready pod -l app=web --timeout=10s",
        "wait --for=jsonpath={.spec.replicas}=2 deploy/web --timeout=5s",
        "scale deploy web --replicas=3",
        "rollout status deploy/web --timeout=30s",
        "scale deploy web --current-replicas=9 --replicas=1",
        "scale deploy web --current-replicas=3 --replicas=2",
        "set image deploy/web main=web:2",
        "rollout status deploy/web --timeout=30s",
        "get deploy web -o jsonpath={.spec.template.spec.containers[*].image}",
        "rollout history deploy/web",
        "rollout history deploy/web --revision=1",
        "rollout undo deploy/web",
        "rollout status deploy/web --timeout=30s",
        "rollout history deploy/web",
        "rollout undo deploy/web --to-revision=9",
        "set env deploy/web A=1",
        "set resources deploy/web --limits=cpu=1,memory=1024Mi",
        "rollout status deploy/web --timeout=30s",
        "get deploy web -o jsonpath={.spec.template.spec.containers[0].resources}",
        "set env deploy/web --list",
        "rollout pause deploy/web",
        "rollout pause deploy/web",
        "rollout resume deploy/web",
        'patch deploy web -p {"spec":{"minReadySeconds":1}}',
        'patch deploy web -p {"spec":{"selector":{"matchLabels":{"app":"x"}}}}',
        "expose deploy web --port=80 --target-port=8080",
        "get svc web -o jsonpath={.spec.ports}{.spec.selector}{.spec.type}",
        "delete svc web",
        "delete deploy web --cascade=foreground --timeout=30s",
        "get deploy,rs",
    ),
    "pods": (
        ("create -f -", pod("one", labels={"run": "one"}, containers=[{"name": "one", "image": IMAGE}])),
        "wait --for=condition=Ready pod/one --timeout=20s",
        "get pod one -o jsonpath={.status.phase}/{.status.qosClass}/{.spec.restartPolicy}/{.spec.nodeName}",
        "get pods -o custom-columns=N:.metadata.name,P:.status.phase",
        "label pod one x=y",
        "get pods -l run=one -o name",
        'patch pod one -p {"spec":{"restartPolicy":"Never"}}',
        "delete pod one --timeout=30s",
        "get pod one",
        ("create -f -", pod("pending", nodeSelector={"no": "node"}, schedulerName="nobody")),
        ("create -f -", {**pod("bad"), "spec": {"containers": []}}),
    ),
    "services": (
        ("create -f -", service("bad", ports=[])),
        ("create -f -", service("1bad")),
        ("apply -f -", service("a", selector={"app": "a"})),
        ("apply -f -", service("a", selector={"app": "b"})),
        ("apply -f -", service("a", selector={"app": "b"})),
        'patch svc a -p {"spec":{"ports":[{"port":80,"name":"http"}]}}',
        "get svc a -o jsonpath={.spec.ports}{.spec.selector}",
        "delete svc a",
    ),
    "jobs": (
        ("create -f -", job("check")),
        "wait --for=condition=Complete job/check --timeout=30s",
        "get job check -o jsonpath={.status.succeeded}{.spec.backoffLimit}{.spec.parallelism}{.spec.completions}",
        "delete job check --timeout=20s",
    ),
    "others": (
        ("apply -f -", lease("leader", "me")),
        "get lease leader -o jsonpath={.spec.holderIdentity}/{.spec.renewTime}",
        "get foos",
        "get ns default -o jsonpath={.status.phase}{.spec.finalizers}",
        "get nodes nope",
        "explain nothing",
        ("create -f -", owned(config_map("orphan"), GHOST)),
        "wait --for=delete cm/orphan --timeout=20s",
        ("create -f -", config_map("kept", finalizers=["example.com/mine"])),
        "delete cm kept --wait=false",
        "get cm kept -o jsonpath={.metadata.finalizers}",
        'patch cm kept --type=merge -p {"metadata":{"finalizers":null}}',
        "get cm kept",
        "delete cm --all",
    ),
    "customs": (
        ("apply -f -", canaries(GROUP)),
        f"wait --for=condition=Established crd/canaries.{GROUP} --timeout=20s",
        f"get crd canaries.{GROUP} -o jsonpath={{.status.acceptedNames.plural}}/{{.status.storedVersions}}",
        ("apply -f -", canary(GROUP, "c", weight=10)),
        ("apply -f -", canary(GROUP, "c", weight=10)),
        ("apply -f -", canary(GROUP, "c", weight=20, replicas=2)),
        f"get canaries.{GROUP} c -o jsonpath={{.spec}}",
        f"get canaries.{GROUP} c -o jsonpath={{.metadata.generation}}",
        ("create -f -", canary(GROUP, "d", weight=1000)),
        ("create -f -", canary(GROUP, "d", mode="zap")),
        f'patch canaries.{GROUP} c --type=merge -p {{"spec":{{"weight":30}}}}',
        f'patch canaries.{GROUP} c --type=merge -p {{"spec":{{"weight":3000}}}}',
        f'patch canaries.{GROUP} c -p {{"spec":{{"weight":30}}}}',
        f'patch canaries.{GROUP} c --subresource=status --type=merge -p {{"status":{{"phase":"Up"}}}}',
        f"scale canaries.{GROUP} c --replicas=4",
        f"get canaries.{GROUP} c -o jsonpath={{.spec.replicas}}",
        f"label canaries.{GROUP} c x=y",
        f"annotate canaries.{GROUP} c x=y",
        f"delete canaries.{GROUP} c",
        f"get canaries.{GROUP}",
        f"delete crd canaries.{GROUP} --timeout=20s",
        f"get canaries.{GROUP}",
    ),
}

# What is not the same, and why it may stay so; docs/sandbox.md tells people.
DIFFERENT: Mapping[str, str] = {
    "apply: create -f - Nothing/x": "OpenAPI documents are stubs: kubectl ends at them for a kind that is not there",
    'pods: patch pod one -p {"spec":{"restartPolicy":"Never"}}': "the refusal does not print the two versions side by side",
    "others: delete cm --all": "a namespace is not given the cluster's root certificate",
}
