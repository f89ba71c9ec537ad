"""What tables say about objects."""

from datetime import UTC, datetime

import pytest
from reconciler_sandbox.apiserver import cells

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def pod(*containers: dict, **status: object) -> dict:
    return {
        "metadata": {},
        "spec": {"containers": [{}, {}]},
        "status": {"phase": "Running", "containerStatuses": list(containers), **status},
    }


@pytest.mark.parametrize(
    ("manifest", "word"),
    [
        (pod(), "Running"),
        ({**pod(), "metadata": {"deletionTimestamp": "t"}}, "Terminating"),
        (pod({"state": {"waiting": {"reason": "CrashLoopBackOff"}}}), "CrashLoopBackOff"),
        (pod({"state": {"terminated": {"reason": "Completed"}}}), "Completed"),
        (pod({"state": {"terminated": {"exitCode": 3}}}), "ExitCode:3"),
        (pod(reason="Evicted"), "Evicted"),
        ({"metadata": {}, "spec": {}}, "Unknown"),
    ],
)
def test_a_pod_is_said_in_one_word(manifest: dict, word: str) -> None:
    assert cells.pod_status(manifest, NOW) == word


def test_a_pod_counts_containers_and_restarts() -> None:
    finished = {"lastState": {"terminated": {"finishedAt": "2026-11-22T11:59:00Z"}}}
    manifest = pod({"ready": True, "restartCount": 2, **finished}, {"ready": False, "restartCount": 0})
    assert cells.pod_ready(manifest, NOW) == "1/2" and cells.pod_restarts(manifest, NOW) == "2 (60s ago)"
    assert cells.pod_restarts(pod(), NOW) == "0"


def test_readiness_gates_are_counted() -> None:
    manifest = {
        "spec": {"readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}]},
        "status": {"conditions": [{"type": "a", "status": "True"}]},
    }
    assert cells.pod_gates(manifest, NOW) == "1/2" and cells.pod_gates({}, NOW) == "<none>"


@pytest.mark.parametrize(
    ("spec", "status", "address"),
    [
        ({"type": "ClusterIP"}, {}, "<none>"),
        ({"type": "LoadBalancer"}, {}, "<pending>"),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, "1.2.3.4"),
        ({"type": "ExternalName", "externalName": "x.example"}, {}, "x.example"),
        ({"externalIPs": ["5.6.7.8"]}, {}, "5.6.7.8"),
    ],
)
def test_a_service_is_reached_from_outside_somewhere(spec: dict, status: dict, address: str) -> None:
    assert cells.external_address({"spec": spec, "status": status}, NOW) == address


def test_ports_and_addresses_are_listed() -> None:
    ports = {"spec": {"ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}}
    assert cells.service_ports(ports, NOW) == "80:30080/TCP,53/UDP"
    subsets = {"subsets": [{"addresses": [{"ip": f"10.0.0.{n}"} for n in range(5)], "ports": [{"port": 80}]}]}
    assert cells.endpoint_addresses(subsets, NOW) == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."
    sliced = {"ports": [{"port": 80}], "endpoints": [{"addresses": ["a"]}, {"addresses": ["b"]}]}
    assert cells.slice_ports(sliced, NOW) == "80" and cells.slice_addresses(sliced, NOW) == "a,b"


def test_a_job_says_how_far_it_is() -> None:
    status = {"succeeded": 1, "startTime": "2026-11-22T11:59:00Z", "conditions": [{"type": "Complete", "status": "True"}]}
    job = {"metadata": {}, "spec": {"completions": 1}, "status": status}
    assert (cells.job_status(job, NOW), cells.job_completions(job, NOW), cells.job_duration(job, NOW)) == ("Complete", "1/1", "60s")
    assert cells.job_status({"metadata": {}}, NOW) == "Running" and cells.job_duration({}, NOW) == ""


def test_a_node_says_its_readiness_and_roles() -> None:
    node = {
        "metadata": {"labels": {"node-role.kubernetes.io/worker": ""}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert cells.node_status(node, NOW) == "Ready,SchedulingDisabled" and cells.node_roles(node, NOW) == "worker"


def test_simple_cells_read_a_path() -> None:
    manifest = {"a": {"b": 1, "c": {"x": "1", "y": "2"}}, "t": "2026-11-22T11:59:55Z", "l": [{"n": 1}, {"n": 2}]}
    assert cells.at(".a.b")(manifest, NOW) == 1 and cells.at(".z")(manifest, NOW) == "<none>"
    assert cells.count(".a.c")(manifest, NOW) == 2 and cells.count(".z")(manifest, NOW) == 0
    assert cells.joined(".l[*].n")(manifest, NOW) == "1,2" and cells.since(".t")(manifest, NOW) == "5s"
    assert cells.selector(".a.c")(manifest, NOW) == "x=1,y=2"


def test_events_and_budgets() -> None:
    event = {"involvedObject": {"kind": "Pod", "name": "x"}, "eventTime": "2026-11-22T11:59:50Z"}
    assert cells.involved(event, NOW) == "pod/x" and cells.event_last_seen(event, NOW) == "10s"
    assert cells.budget_amount("minAvailable")({"spec": {}}, NOW) == "N/A"
