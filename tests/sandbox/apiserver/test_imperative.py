"""kubectl's imperative commands, which send protobuf: what they create is what their JSON would have been."""

from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient

from tests.kit.apiserver import DEPLOYMENTS, PODS, deployment, pod
from tests.kit.kubectl import Kubectl, binary
from tests.kit.wholepod import JOB_SPEC, POD_SPEC

pytestmark = pytest.mark.skipif(not binary(), reason="no kubectl on this machine")
CRON_JOBS = "/apis/batch/v1/namespaces/default/cronjobs"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
def kubectl(api_server: ApiServer, tmp_path: Path) -> Kubectl:
    (tmp_path / "config").write_text(api_server.kubeconfig())
    return Kubectl(tmp_path)


async def test_configuration_is_created(kubectl: Kubectl, api: ApiClient) -> None:
    assert await kubectl("create ns n") == "namespace/n created"
    assert await kubectl("create cm c --from-literal=a=b -n n") == "configmap/c created"
    assert await kubectl("create secret generic s --from-literal=a=b -n n") == "secret/s created"
    assert "created" in await kubectl("create secret docker-registry d --docker-server=r --docker-username=u --docker-password=p -n n")
    assert await kubectl("create sa bot -n n") == "serviceaccount/bot created"
    assert "already exists" in await kubectl.refused("create ns n")
    made = await api.get("/api/v1/namespaces/n/configmaps/c")
    secret = await api.get("/api/v1/namespaces/n/secrets/s")
    assert made is not None and made["data"] == {"a": "b"}
    assert secret is not None and secret["data"] == {"a": "Yg=="} and secret["type"] == "Opaque"


async def test_workloads_are_created(kubectl: Kubectl, api: ApiClient) -> None:
    assert await kubectl("create deploy web --image=x/web:1 --replicas=0 --port=80") == "deployment.apps/web created"
    assert await kubectl("create job j --image=x/y:1 -- sh -c true") == "job.batch/j created"
    assert await kubectl("create cronjob c --image=x/y --schedule=@hourly -- date") == "cronjob.batch/c created"
    assert "autoscaled" in await kubectl("autoscale deploy web --min=1 --max=3 --cpu=50%")
    web = await api.get(f"{DEPLOYMENTS}/web")
    assert web is not None and web["spec"]["replicas"] == 0 and web["spec"]["strategy"]["type"] == "RollingUpdate"
    assert web["spec"]["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    scaler = await api.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web")
    assert scaler is not None and scaler["spec"]["scaleTargetRef"] == {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    assert scaler["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}


async def test_networking_and_policy_are_created(kubectl: Kubectl, api: ApiClient) -> None:
    assert await kubectl("create service clusterip s --tcp=80:http") == "service/s created"
    assert await kubectl("create service nodeport n --tcp=80:8080") == "service/n created"
    assert await kubectl("create service externalname e --external-name=x.example.com") == "service/e created"
    assert "created" in await kubectl("create ingress i --rule=a.example.com/*=s:80,tls=t")
    assert "created" in await kubectl("create pdb p --selector=app=web --min-available=50%")
    assert "created" in await kubectl("create quota q --hard=pods=3,cpu=1")
    service = await api.get("/api/v1/namespaces/default/services/s")
    assert service is not None and service["spec"]["ports"] == [{"name": "80-http", "protocol": "TCP", "port": 80, "targetPort": "http"}]
    ingress = await api.get("/apis/networking.k8s.io/v1/namespaces/default/ingresses/i")
    assert ingress is not None and ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"] == {
        "service": {"name": "s", "port": {"number": 80}}
    }
    budget = await api.get("/apis/policy/v1/namespaces/default/poddisruptionbudgets/p")
    assert budget is not None and budget["spec"]["minAvailable"] == "50%"


async def test_roles_are_created(kubectl: Kubectl, api: ApiClient) -> None:
    await kubectl("create role r --verb=get,list --resource=pods,deployments.apps/scale")
    await kubectl("create clusterrole c --verb=get --non-resource-url=/logs/*")
    await kubectl("create rolebinding rb --role=r --serviceaccount=default:bot --user=u --group=g")
    await kubectl("create clusterrolebinding crb --clusterrole=c --user=u")
    role = await api.get(f"{RBAC}/namespaces/default/roles/r")
    binding = await api.get(f"{RBAC}/namespaces/default/rolebindings/rb")
    assert role is not None and role["rules"][1] == {"verbs": ["get", "list"], "apiGroups": ["apps"], "resources": ["deployments/scale"]}
    assert binding is not None and {"kind": "ServiceAccount", "name": "bot", "namespace": "default"} in binding["subjects"]


async def test_a_job_with_every_field_comes_through_as_it_was(kubectl: Kubectl, api: ApiClient) -> None:
    spec = {"schedule": "0 * * * *", "jobTemplate": {"metadata": {"labels": {"x": "y"}}, "spec": JOB_SPEC}}
    made = await api.create(CRON_JOBS, {"metadata": {"name": "c"}, "spec": spec})
    assert await kubectl("create job j --from=cronjob/c") == "job.batch/j created"
    job = await api.get(f"{JOBS}/j")
    assert job is not None
    wanted, found = made["spec"]["jobTemplate"]["spec"], job["spec"]
    assert {name: found[name] for name in wanted if name != "template"} == {name: wanted[name] for name in wanted if name != "template"}
    before, after = wanted["template"]["spec"], found["template"]["spec"]
    assert {name: after[name] for name in before if name != "initContainers"} == {
        name: before[name] for name in before if name != "initContainers"
    }
    assert after["initContainers"][0].items() >= before["initContainers"][0].items()
    assert found["template"]["metadata"]["annotations"] == {"c": ""}


async def test_a_pod_is_copied_and_gets_an_ephemeral_container(kubectl: Kubectl, api: ApiClient) -> None:
    await api.create(PODS, {**pod("p"), "spec": {name: value for name, value in POD_SPEC.items() if name != "nodeName"}})
    await kubectl("debug p --copy-to=q --image=x/d:1 --container=dbg --attach=false")
    before, after = await api.get(f"{PODS}/p"), await api.get(f"{PODS}/q")
    assert before is not None and after is not None
    assert after["spec"]["affinity"] == before["spec"]["affinity"] and after["spec"]["volumes"] == before["spec"]["volumes"]
    assert [one["name"] for one in after["spec"]["containers"]] == ["main", "dbg"]


async def test_evictions_are_sent_by_drain(kubectl: Kubectl, api: ApiClient) -> None:
    await api.create("/api/v1/nodes", {"metadata": {"name": "n"}})
    await api.create(PODS, {**pod("p", node="n"), "spec": {**pod("p", node="n")["spec"], "terminationGracePeriodSeconds": 0}})
    assert "drained" in await kubectl("drain n --force --timeout=20s")
    assert await api.get(f"{PODS}/p") is None


async def test_a_misspelt_field_is_refused_by_name(kubectl: Kubectl) -> None:
    web = deployment("web")
    text = await kubectl.refused("apply -f -", {**web, "spec": {**web["spec"], "replica": 3}})
    assert 'unknown field "spec.replica"' in text
    warned = await kubectl("apply --validate=warn -f -", {**web, "spec": {**web["spec"], "replica": 3}})
    assert 'Warning: unknown field "spec.replica"' in warned and "deployment.apps/web created" in warned
