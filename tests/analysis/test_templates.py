"""Templates that go together, and those that do not (contract 6.3, 12.3)."""

import pytest

from reconciler.analysis.templates import Combined, combine, referenced, validate_references
from reconciler.kernel.identity import Manifest, name_of
from tests.kit.analysis import metric_manifest

ROLLOUT: Manifest = {"metadata": {"name": "web", "namespace": "shop"}}


def template(name: str, *metrics: str, cluster: bool = False, **spec: object) -> Manifest:
    kind = "ClusterAnalysisTemplate" if cluster else "AnalysisTemplate"
    return {"kind": kind, "metadata": {"name": name}, "spec": {"metrics": [metric_manifest(m) for m in metrics], **spec}}


def naming(*names: str, **analysis: object) -> Manifest:
    references = [{"templateName": n.removeprefix("cluster/"), "clusterScope": n.startswith("cluster/")} for n in names]
    return {"templates": references, **analysis}


def combined(templates: list[Manifest], analysis: Manifest) -> Combined:
    found = combine(templates, analysis)
    assert isinstance(found, Combined), found
    return found


def test_templates_are_found_through_templates_once_and_cluster_ones_come_last() -> None:
    known = [template("a", "m1", **naming("b", "cluster/c")), template("b", "m2", **naming("a")), template("c", "m3", cluster=True)]
    assert [name_of(t) for t in referenced(known, naming("cluster/c", "a"))] == ["a", "b", "c"]
    assert [m["name"] for m in combined(known, naming("cluster/c", "a")).metrics] == ["m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("templates", "analysis", "words"),
    [
        ([], naming("x"), "AnalysisTemplate 'x' not found"),
        ([template("x")], naming("cluster/x"), "ClusterAnalysisTemplate 'x' not found"),
        ([template("a", "m"), template("b", "m")], naming("a", "b"), "two metrics have the same name 'm'"),
        (
            [template("a", args=[{"name": "x", "value": "1"}]), template("b", args=[{"name": "x", "value": "2"}])],
            naming("a", "b"),
            "Argument `x` specified multiple times with different values: '1', '2'",
        ),
        (
            [template("a", dryRun=[{"metricName": "m"}])],
            naming("a", dryRun=[{"metricName": "m"}]),
            "two Dry-Run metric rules have the same name 'm'",
        ),
        (
            [template("a", measurementRetention=[{"metricName": "m"}, {"metricName": "m"}])],
            naming("a"),
            "two Measurement Retention metric rules have the same name 'm'",
        ),
    ],
)
def test_templates_that_do_not_go_together(templates: list[Manifest], analysis: Manifest, words: str) -> None:
    assert combine(templates, analysis) == words


def test_an_open_argument_is_filled_by_the_other_template() -> None:
    known = [template("a", args=[{"name": "x"}]), template("b", args=[{"name": "x", "value": "2"}])]
    assert combined(known, naming("a", "b")).arguments == ({"name": "x", "value": "2"},)


def test_rules_of_the_rollout_come_first() -> None:
    found = combined([template("a", dryRun=[{"metricName": "t"}])], naming("a", dryRun=[{"metricName": "r"}]))
    assert [rule["metricName"] for rule in found.dry_run] == ["r", "t"]


def problem(*templates: Manifest, kind: str = "Step", **analysis: object) -> str | None:
    names = [name_of(t) for t in templates]
    return validate_references(rollout=ROLLOUT, kind=kind, analysis=naming(*names, **analysis), templates=templates)


def endless() -> Manifest:
    return {"kind": "AnalysisTemplate", "metadata": {"name": "t"}, "spec": {"metrics": [metric_manifest(interval="1m")]}}


def test_an_analysis_somebody_waits_for_must_end() -> None:
    words = "AnalysisTemplate t has metric m which runs indefinitely. Invalid value for count: <nil>"
    assert [problem(endless(), kind=kind) for kind in ("Step", "PrePromotion", "PostPromotion")] == [words] * 3
    assert problem(endless(), kind="Background") is None


def test_a_count_from_an_argument_is_finite() -> None:
    counted = {
        **endless(),
        "spec": {"metrics": [metric_manifest(interval="1m", count="{{args.n}}")], "args": [{"name": "n", "value": "3"}]},
    }
    assert problem(counted) is None


def test_an_argument_has_one_source() -> None:
    twice = template("t", "m", args=[{"name": "x", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}])
    assert problem(twice) == "AnalysisTemplate t: arg 'x' has both Value and ValueFrom fields"


def test_background_analyses_need_their_open_arguments() -> None:
    asking = template("t", "m", args=[{"name": "x"}])
    assert problem(asking, kind="Background") == "missing analysis arguments in rollout spec"
    assert problem(asking, kind="Background", args=[{"name": "x", "value": "1"}]) is None
    assert problem(asking) == "args.x was not resolved"


def test_missing_templates_and_unknown_tags_are_named() -> None:
    assert validate_references(rollout=ROLLOUT, kind="Step", analysis=naming("no"), templates=()) == "AnalysisTemplate 'no' not found"
    lost = {"kind": "AnalysisTemplate", "metadata": {"name": "t"}, "spec": {"metrics": [metric_manifest(successCondition="{{args.q}}")]}}
    assert problem(lost) == "AnalysisTemplate t: failed to resolve {{args.q}}"


def test_a_template_that_only_names_others_has_nothing_of_its_own_that_could_be_wrong() -> None:
    for spec in ({"spec": {"templates": [{"templateName": "a"}]}}, {"spec": {"metrics": None}}, {}, {"spec": None}):
        bare = {"kind": "AnalysisTemplate", "metadata": {"name": "t"}, **spec}
        said = validate_references(rollout=ROLLOUT, kind="Step", analysis=naming("t", "a"), templates=(bare, template("a", "m")))
        assert said is None
