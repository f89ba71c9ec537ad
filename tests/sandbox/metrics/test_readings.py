"""What is said of workloads, and what their pods then read."""

import pytest
from reconciler_sandbox.metrics.readings import Amount, Readings, Subject, amount, is_ready, is_running, usage_of, value_of

from tests.kit.autoscaling import WEB, measured


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("250m", Amount(250)),
        ("40", Amount(40_000)),
        (1.5, Amount(1_500)),
        ("1Ki", Amount(1_024_000)),
        ("180%", Amount(180_000, percent=True)),
        ("12.5 %", Amount(12_500, percent=True)),
    ],
)
def test_an_amount_is_a_quantity_or_a_percentage(text: str, wanted: Amount) -> None:
    assert amount(text) == wanted


@pytest.mark.parametrize("text", ["much", "", "-1", "5%%", "1 200m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|nothing"):
        amount(text)


def test_a_total_is_no_percentage() -> None:
    with pytest.raises(ValueError, match="percentage"):
        amount("50%", total=True)
    assert amount("2", total=True) == Amount(2_000, total=True)


def test_a_percentage_is_of_what_each_container_requests() -> None:
    pod = measured("a")
    pod["spec"]["containers"].append({"name": "proxy", "resources": {"requests": {"cpu": "1"}}})
    pod["spec"]["containers"].append({"name": "free"})
    found = usage_of(pod, {"cpu": amount("150%")}, 1)
    assert found is not None and [one["usage"]["cpu"] for one in found] == ["150m", "1500m", "0"]


def test_a_total_is_shared_by_those_that_work() -> None:
    busy, starting = measured("a"), measured("b", ready=False)
    said = {"cpu": amount("300m", total=True), "memory": amount("64Mi")}
    assert usage_of(busy, said, 3) == [{"name": "app", "usage": {"cpu": "100m", "memory": "64Mi"}}]
    assert usage_of(starting, said, 3) == [{"name": "app", "usage": {"cpu": "0", "memory": "64Mi"}}]
    assert value_of(busy, amount("9", total=True), 0) == 0


def test_a_pod_of_which_nothing_is_said_has_no_usage() -> None:
    assert usage_of(measured("a"), {"rps": amount("5")}, 1) is None


def test_pods_that_end_take_no_share_and_pending_ones_use_nothing() -> None:
    assert is_ready(measured("a")) and not is_ready(measured("a", deletionTimestamp="now")) and not is_ready(measured("a", ready=False))
    assert is_running(measured("a")) and not is_running(measured("a", phase="Pending")) and not is_running({"metadata": {}})


def test_a_later_word_replaces_the_earlier_one_about_the_same() -> None:
    readings = Readings()
    readings.say(WEB, {"cpu": amount("1"), "rps": amount("5")})
    readings.say(WEB, {"cpu": amount("2")})
    assert readings.of == {WEB: {"cpu": amount("2"), "rps": amount("5")}}
    assert readings.custom_names() == [("deployments.apps", "rps"), ("pods", "rps")]


def test_a_subject_knows_its_path_and_its_name_in_metrics() -> None:
    assert (WEB.path, WEB.qualified) == ("/apis/apps/v1/namespaces/shop/deployments/web", "deployments.apps")
    service = Subject("v1", "services", "Service", "shop", "web")
    assert (service.path, service.qualified) == ("/api/v1/namespaces/shop/services/web", "services")
