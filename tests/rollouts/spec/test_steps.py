"""Steps as nouns (contract 1.4)."""

from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.rollouts.spec.model import CanaryScale, ExperimentStep, Pause, PluginStep, Step, StepTemplate
from reconciler.rollouts.spec.steps import parse_analysis, parse_steps
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute


def step(raw: Manifest) -> Step:
    return parse_steps(Fields("spec", {"steps": [raw]}))[0]


def test_each_kind_is_read() -> None:
    assert step({"setWeight": 0}).set_weight == 0
    assert step({"pause": {}}).pause == Pause()
    assert step({"pause": {"duration": "10m"}}).pause == Pause(600, "10m")
    assert step({"pause": {"duration": "soon"}}).pause == Pause(-1, "soon")
    assert step({"setCanaryScale": {"weight": 5}}).scale == CanaryScale(weight=5)
    asked = {"templates": [{"name": "a", "specRef": "stable", "weight": 5, "service": {}}], "analyses": [{"name": "b"}]}
    template = StepTemplate(name="a", reference="stable", weight=5, service="")
    assert step({"experiment": asked}).experiment == ExperimentStep(asked, (template,), ({"name": "b"},))
    assert step({"plugin": {"name": "n", "config": [1, None]}}).plugin == PluginStep("n", [1, None])


def test_routes_keep_their_matches() -> None:
    match = {"headerName": "x", "headerValue": {"prefix": "y"}}
    assert step({"setHeaderRoute": {"name": "h", "match": [match]}}).header_route == HeaderRoute("h", (HeaderMatch("x", prefix="y"),))
    assert step({"setHeaderRoute": {"name": "h"}}).header_route == HeaderRoute("h")
    mirrored = step({"setMirrorRoute": {"name": "m", "percentage": 50, "match": [{"method": {"exact": "GET"}}]}}).mirror_route
    assert mirrored == MirrorRoute("m", ({"method": {"exact": "GET"}},), 50)


def test_an_analysis_without_templates_measures_nothing() -> None:
    empty = parse_analysis(Fields("a", {"templates": [], "startingStep": 2}))
    assert empty is not None and not empty.measured and empty.starting_step == 2
    assert parse_analysis(None) is None
