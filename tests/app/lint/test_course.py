"""What the course of a release leaves no room for: steps, routes and measurements that never come, and waits that no pipeline ends."""

import json
from typing import Any

import pytest

from reconciler.app.lint.course import NO_PODS, PERSON
from reconciler.app.lint.finding import Finding, Severity
from reconciler.app.lint.lint import lint
from reconciler.kernel.identity import Manifest
from tests.kit.rollouts import analysis, analysis_template, canary, pause, rollout, service, virtual_service, weight

CANARY = "spec.strategy.canary"


def template(**metric: Any) -> Manifest:
    made = analysis_template()
    made["spec"] = {"args": [{"name": "every", "value": "1m"}], "metrics": [{**made["spec"]["metrics"][0], "count": None, **metric}]}
    return made


def found(manifest: Manifest, *others: Manifest, ci: bool = False) -> list[Finding]:
    beside = (service("web-stable"), service("web-canary"), service("active"), virtual_service())
    files = {f"{index}.yaml": json.dumps(each).encode() for index, each in enumerate((manifest, *others, *beside))}
    return [finding for finding in lint(files, unattended=ci).findings if finding.file == "0.yaml"]


def said(*steps: Manifest, metric: dict[str, Any] | None = None, ci: bool = False, **fields: Any) -> list[tuple[str, str]]:
    """Field and message of what is wrong with a routed canary of these steps."""
    manifest = rollout(canary=canary(*steps, istio=True, **fields))
    return [(finding.field.removeprefix(f"{CANARY}."), finding.message) for finding in found(manifest, template(**(metric or {})), ci=ci)]


def test_a_pause_without_an_end_is_an_error_where_no_person_is() -> None:
    steps = weight(20), pause(), weight(50), pause("10m")
    assert said(*steps) == []
    assert said(*steps, ci=True) == [("steps[1].pause", PERSON)]
    green = rollout(blue_green={"activeService": "active", "autoPromotionEnabled": False}, paused=True)
    assert {finding.field for finding in found(green, ci=True)} == {"spec.paused", "spec.strategy.blueGreen.autoPromotionEnabled"}
    assert all(finding.severity is Severity.ERROR for finding in found(green, ci=True)) and found(green) == []


def test_steps_behind_an_endless_experiment_are_not_reached() -> None:
    trial: Manifest = {"experiment": {"templates": [{"name": "a", "specRef": "canary"}]}}
    words = [message for field, message in said(trial, weight(20), pause("1m")) if field == "steps[1]"]
    assert words == ["cannot be reached: the experiment of step 1 never ends by itself"]
    ended: Manifest = {"experiment": {**trial["experiment"], "duration": "5m"}}
    assert said(ended, weight(20), pause("1m")) == []
    assert not [field for field, _ in said(weight(20), trial) if field.startswith("steps[2]")]


@pytest.mark.parametrize(("start", "told"), [(0, False), (1, False), (2, True), (9, True)])
def test_an_analysis_that_begins_behind_the_last_step_is_not_reached(start: int, told: bool) -> None:
    fields = [field for field, _ in said(weight(20), pause("10m"), analysis=analysis(startingStep=start))]
    assert fields == (["analysis.startingStep"] if told else [])


def header(name: str = "h", *, gone: bool = False) -> Manifest:
    match = {} if gone else {"match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}
    return {"setHeaderRoute": {"name": name, **match}}


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ([], True),
        ([pause("1m")], True),
        ([weight(0)], True),
        ([weight(1)], False),
        ([{"setCanaryScale": {"replicas": 0}}], True),
        ([{"setCanaryScale": {"replicas": 1}}], False),
        ([{"setCanaryScale": {"weight": 10}}], False),
        ([weight(20), {"setCanaryScale": {"replicas": 0}}], True),
    ],
)
def test_a_header_route_to_no_pods_does_not_stay(before: list[Manifest], told: bool) -> None:
    routing = {"istio": {"virtualService": {"name": "web", "routes": ["primary"]}}, "managedRoutes": [{"name": "h"}]}
    place = f"steps[{len(before)}].setHeaderRoute"
    assert said(*before, header(), pause("1m"), trafficRouting=routing) == ([(place, NO_PODS)] if told else [])
    assert said(*before, header(gone=True), trafficRouting=routing) == []


def test_a_header_route_that_is_not_managed_is_an_error_with_what_to_do() -> None:
    (finding,) = found(rollout(canary=canary(weight(20), header("preview"), istio=True)))
    assert finding.severity is Severity.ERROR and finding.suggestion.startswith("add its name to trafficRouting.managedRoutes")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ({"interval": "1m", "failureLimit": 4}, ""),
        ({"interval": "1m", "failureLimit": 5}, ""),
        ({"interval": "1m", "failureLimit": 6}, "can never fail in time: it fails on failure 7 and measures 6 times"),
        ({"interval": "{{args.every}}", "failureLimit": 6}, "can never fail in time"),
        ({"interval": "1m", "initialDelay": "2m", "failureLimit": 4}, "can never fail in time: it fails on failure 5 and measures 4 times"),
        ({"interval": "1m", "initialDelay": "5m"}, ""),
        ({"interval": "1m", "initialDelay": "6m"}, "measures nothing in time: it begins after 6m"),
        ({"interval": "1m", "failureLimit": -1, "consecutiveSuccessLimit": 6}, ""),
        ({"interval": "1m", "failureLimit": -1, "consecutiveSuccessLimit": 7}, "can never pass in time: it asks for 7 successes in a row"),
    ],
)
def test_an_analysis_needs_the_time_that_the_steps_give_it(metric: dict[str, Any], words: str) -> None:
    steps = weight(10), pause("10m"), weight(20), pause("2m"), weight(40), pause(180)
    told = said(*steps, metric=metric, analysis=analysis(startingStep=2))
    assert [field for field, _ in told] == (["analysis"] if words else [])
    assert words in "".join(message for _, message in told)


@pytest.mark.parametrize("step", [pause(), {"analysis": analysis(templates=[{"templateName": "gate"}])}, {"plugin": {"name": "a/b"}}])
def test_time_that_nobody_knows_is_enough(step: Manifest) -> None:
    gate = template(count=3)
    gate["metadata"]["name"] = "gate"
    metric = {"interval": "1m", "failureLimit": 60}
    manifest = rollout(canary=canary(weight(10), step, istio=True, analysis=analysis()))
    assert "in time" not in "".join(finding.message for finding in found(manifest, template(**metric), gate))
    assert "in time" in "".join(message for _, message in said(weight(10), pause(5), metric=metric, analysis=analysis()))


def test_an_experiment_that_ends_sooner_than_its_analysis_can_fail_is_told() -> None:
    trial = {
        "templates": [{"name": "a", "specRef": "canary"}],
        "duration": "2m",
        "analyses": [{"name": "c", "templateName": "success-rate"}],
    }
    told = said({"experiment": trial}, metric={"interval": "1m", "failureLimit": 5})
    assert [field for field, _ in told] == ["steps[0].experiment.analyses[0]"] and "the experiment may take no more than 2m" in told[0][1]


def test_seconds_that_are_never_counted_are_told() -> None:
    (finding,) = found(rollout(blue_green={"activeService": "active", "autoPromotionEnabled": False, "autoPromotionSeconds": 30}))
    assert (finding.severity, finding.field) == (Severity.WARNING, "spec.strategy.blueGreen.autoPromotionSeconds")


def test_all_errors_are_told_at_once_with_line_column_and_what_to_do() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: -1
  progressDeadlineSeconds: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: other}}
    spec: {containers: [{name: web, image: a}]}
  strategy:
    canary:
      steps:
        - setWeight: 120
        - pause: {duration: soon}
        - setCanaryScale: {replicas: 1}
"""
    report = lint({"rollout.yaml": text.encode()})
    places = {(finding.line, finding.column): finding for finding in report.errors}
    assert {(5, 3), (6, 3), (9, 16), (14, 11), (15, 19)} <= set(places)
    assert places[9, 16].suggestion == "copy spec.selector.matchLabels into the labels of the template"
    assert "write seconds" in places[15, 19].suggestion


def test_an_unknown_field_is_told_with_the_nearest_one() -> None:
    manifest = rollout(canary=canary(weight(20)))
    manifest["spec"]["strategy"]["canary"]["stabelService"] = "web"
    (finding,) = found(manifest)
    assert finding.suggestion == "did you mean stableService?"
