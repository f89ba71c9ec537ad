"""What `-o json` prints fits docs/schemas, and docs/schemas/README.md names every schema."""

import json
import re
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from reconciler_sandbox.rehearsal.record import Outcome
from typer.testing import CliRunner

from benchmarks.plan import paused_canary
from reconciler.analysis.advance import Answer
from reconciler.analysis.conditions import Working
from reconciler.analysis.due import Move, Task
from reconciler.analysis.judge import RunTerms
from reconciler.app.cli import main
from reconciler.app.cli.diff import ObjectDiff
from reconciler.app.cli.offline import lint
from reconciler.app.lint.lint import lint as look
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import PODS, REPLICA_SETS
from reconciler.releases.model import Change, Evidence, ReleasePhase, ReleaseSpec, ReleaseStatus, Restore, RestoreState, Verb, Verdict
from reconciler.sources.model import Pull
from reconciler.sync.drift.diff import differences
from reconciler.views.audit import AuditEntry
from reconciler.views.companion.appliers import Applier
from reconciler.views.exposure import PlannedExposure, PlannedMetric, QueryOutcome, Volume
from reconciler.views.measuring.analyses import Tried, tried_analysis
from reconciler.views.plans import ChangeKind, PlannedField, PlannedRelease, ReleasePlan, WayBack
from reconciler.views.policies import JudgingRules
from reconciler.views.releases import release_document
from reconciler.views.rollouts import rollout_document, row_of, status_of
from reconciler.views.sources import SourceStanding
from reconciler.views.tree import Family
from reconciler.views.view import plain
from reconciler.views.why.counterfactual import ChangeOf, Counterfactual
from reconciler.views.why.explain import Situation, explain
from tests.kit.analysis import measurement, metric, status_after
from tests.kit.lint import FILES, ROLLOUT
from tests.kit.releases import NOW, release, run
from tests.kit.rollouts import NAMESPACE, service
from tests.kit.schemas import violations

FROZEN = (Frozen("git", "reconciler", "ann", "2026-11-28T20:00:00Z"),)
SCHEMAS = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return found


def wrong(name: str, value: Any) -> list[str]:
    """What is wrong with a value once it was printed as JSON."""
    return violations(json.loads(json.dumps(value, default=str)), schema(name))


def family() -> Family:
    """A canary that waits, with its ReplicaSets, pods and a run."""
    world = paused_canary()
    sets, pods = world.store.list(REPLICA_SETS, NAMESPACE), world.store.list(PODS, NAMESPACE)
    return Family(world.rollout, sets, pods, [run("Failed")])


def ended() -> Manifest:
    """A release with everything that one can have."""
    status = ReleaseStatus(
        phase=ReleasePhase.CLOSED,
        verdict=Verdict.FAILED,
        reason="0.4 < 0.95",
        decided_at=NOW,
        pod_hash="bad22",
        held=True,
        keep_until=NOW,
        evidence=(Evidence(run="web-bad22-2", metric="success-rate", phase="Failed", values=("0.4",), failed=2, limit="1"),),
        verbs=(Verb(verb="abort", at=NOW, reason="failed"),),
        restore=Restore(state=RestoreState.PUSHED, sha="d" * 40, attempts=1),
    )
    change = Change(file="web.yaml", line=3, field="spec.template", old="web:1.0", new="web:1.1")
    return release_document(release(status=status, pull=Pull(number=12, url="https://git.example.com/12"), changes=(change,)))


def test_a_rollout_with_its_tree_fits() -> None:
    found = family()
    assert wrong("get-rollout", rollout_document(found, [release()], FROZEN)) == []


def test_a_rollout_in_a_list_fits() -> None:
    assert wrong("list-rollouts", [plain(row_of(family().rollout, ())), plain(row_of(family().rollout, [release()]))]) == []


def test_an_explanation_fits() -> None:
    found = explain(Situation(family=family(), release=None, now=NOW))
    told = Counterfactual(ChangeOf.LIMIT, "rate", "Successful", "with failureLimit 2 instead of 1, …")
    assert wrong("explain", asdict(found)) == [] and wrong("explain", asdict(replace(found, otherwise=(told,)))) == []


@pytest.mark.parametrize("name", ["releases-list", "hold-list"])
def test_releases_fit(name: str) -> None:
    assert wrong(name, [ended(), release_document(release())]) == []
    assert wrong("releases-show", ended()) == []


def test_the_schema_of_a_release_is_that_of_its_structs() -> None:
    _, parts = msgspec.json.schema_components([ReleaseSpec, ReleaseStatus], ref_template="#/$defs/{name}")
    kept = {name: part for name, part in schema("releases-show")["$defs"].items() if name != "Release"}
    assert kept == json.loads(json.dumps(parts))


PAGES = [("sources", list[SourceStanding]), ("audit", list[AuditEntry]), ("policies", JudgingRules), ("doctor", list[Applier])]


@pytest.mark.parametrize(("name", "kind"), PAGES)
def test_the_schema_of_a_page_is_that_of_its_structs(name: str, kind: Any) -> None:
    kept = {key: part for key, part in schema(name).items() if key not in ("$schema", "title")}
    assert kept == json.loads(json.dumps(msgspec.json.schema(kind)))


def test_differences_fit() -> None:
    desired = {**service("web"), "spec": {"ports": [{"port": 81}], "type": "ClusterIP"}}
    found = ObjectDiff("Service shop/web", "web.yaml", 1, False, differences(desired, service("web")))
    assert found.fields
    assert wrong("diff", [asdict(found)]) == []


def test_a_lint_fits() -> None:
    texts = {**FILES, "rollout.yaml": ROLLOUT.replace("replicas: 2", "repliccas: 2")}
    report = look({name: text.encode() for name, text in texts.items()})
    assert report.findings
    assert wrong("lint", lint._words(report)) == []


def test_a_look_at_compatibility_fits(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(ROLLOUT)
    printed = CliRunner().invoke(main.command_line(["compat"]), ["compat", str(tmp_path), "-o", "json"]).stdout
    assert json.loads(printed)["better"] > 0 and wrong("compat", json.loads(printed)) == []


def test_a_tried_analysis_fits() -> None:
    terms = RunTerms(metrics=(metric("a", consecutive_success_limit=1), metric("b", failure_limit=-1, interval=timedelta(seconds=1))))
    task = Task(terms.metrics[0], Move.MEASURE, None, 1)
    worked = (Working("successCondition", "result > 1", "0 > 1", False), Working("failureCondition", "result[0] > 1", "", None))
    answer = Answer(task, measurement("F"), {}, worked)
    status = status_after(terms, a="F")
    found = tried_analysis(Tried("AnalysisTemplate shop/rate", terms, status, [answer]))
    assert found.metrics[0].measurements
    assert wrong("analyze", plain(found)) == []


def test_a_plan_fits() -> None:
    field = PlannedField(file="web.yaml", line=3, field="spec.template", old="web:1.0", new="web:1.1")
    common = {"workload": "Rollout shop/web", "strategy": "canary", "steps": ("pause",), "at_least": "1m", "waits_for_person": True}
    met = PlannedExposure(step=2, weight=20, seconds=60, requests=1.5)
    asked = tuple(PlannedMetric(metric="rate", provider="prometheus", found=found) for found in QueryOutcome)
    measured = {"exposed": (met, PlannedExposure(step=3, weight=20)), "volume": Volume(per_second=1.5), "metrics": asked}
    releases = tuple(
        PlannedRelease(kind=kind, way_back=way, reason="", fields=(field,), **common, **measured) for kind in ChangeKind for way in WayBack
    )
    found = ReleasePlan(source="shop", base="a" * 40, head="b" * 40, releases=releases, problems=("web.yaml:1: x",))
    assert wrong("plan", [plain(found)]) == []


def test_a_version_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["version", "-o", "json"]) == 0
    assert wrong("version", json.loads(capsys.readouterr().out)) == []


def test_the_outcomes_of_a_demo_fit() -> None:
    outcome = Outcome(lane="web", what="phase", expected="Healthy", observed="Healthy", held=True, seconds=1.5)
    assert wrong("demo", {"held": True, "seconds": 80.0, "expectations": [asdict(outcome)], "log": ["first"]}) == []


def test_what_is_missing_or_unknown_is_found() -> None:
    good = plain(status_of(family().rollout, release(), FROZEN))
    assert wrong("status", good) == []
    assert wrong("status", {**good, "phase": 1}) == ["$.phase: 1 is no string"]
    assert wrong("status", {**good, "more": 1}) == ["$: more is not in the schema"]
    assert wrong("status", {}) != []


def test_every_schema_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z-]+\.json)`", (SCHEMAS / "README.md").read_text()))
    assert named == {path.name for path in SCHEMAS.glob("*.json")}
