"""Which addresses a Service stands for."""

from reconciler_sandbox.controllers.addresses import selects, subsets_of

from tests.kit.workloads import pod, service


def test_ready_pods_are_addresses_and_the_others_are_listed_apart() -> None:
    subsets = subsets_of(service(), [pod("b", ip="127.20.0.10"), pod("a", ip="127.20.0.9"), pod("c", ip="127.20.0.11", ready=False)])
    assert [[a["ip"] for a in s["addresses"]] for s in subsets] == [["127.20.0.9", "127.20.0.10"]]
    assert [a["ip"] for a in subsets[0]["notReadyAddresses"]] == ["127.20.0.11"]
    assert subsets[0]["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert subsets[0]["addresses"][0]["targetRef"] == {"kind": "Pod", "namespace": "shop", "name": "a", "uid": "uid-a"}


def test_a_pod_being_deleted_is_in_neither_list() -> None:
    assert subsets_of(service(), [pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})]) == []


def test_a_pod_without_an_address_is_left_out() -> None:
    assert subsets_of(service(), [pod(ip="")]) == []


def test_a_port_name_resolves_in_each_pod_for_itself() -> None:
    other = pod("z", ip="127.20.0.2", spec={"containers": [{"name": "a", "ports": [{"name": "http", "containerPort": 9090}]}]})
    assert [s["ports"][0]["port"] for s in subsets_of(service(), [pod(), other])] == [8080, 9090]


def test_a_number_is_taken_as_it_is() -> None:
    assert subsets_of(service(target=1234), [pod()])[0]["ports"][0]["port"] == 1234


def test_an_empty_selector_selects_nothing() -> None:
    assert selects({"app": "web"}, pod())
    assert not selects({}, pod())
    assert not selects({"app": "other"}, pod())
