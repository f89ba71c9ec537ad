"""Every shipped policy and template parses with the parsers that read them in production."""

from math import nan
from pathlib import Path

import promql_parser
import pytest

from reconciler.analysis.arguments import substitute
from reconciler.analysis.conditions import Conditions, assess
from reconciler.analysis.manifest import parse_metrics
from reconciler.analysis.model import Metric, RunPhase
from reconciler.analysis.validate import validate
from reconciler.app.cli.offline.files import manifests_at, options_of
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import DEFAULT
from reconciler.sources.documents import Located
from tests.kit.releases import NOW, policy_fields

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    ROOT / "policies",
    ROOT / "sample-repo" / "environments",
    ROOT / "sample-repo" / "storefront" / "overlays" / "demo",
    ROOT / "sample-repo" / "search",
)
SHIPPED = [located for folder in FOLDERS for located in manifests_at([folder], options_of("", ())).manifests]
POLICIES = [located for located in SHIPPED if located.key[0].endswith("ReleasePolicy")]
TEMPLATES = [located for located in SHIPPED if located.key[0].endswith("AnalysisTemplate")]


def place(located: Located) -> str:
    return f"{Path(located.file).name}:{located.line}"


UNSET = {"keepRejected", "afterPromotion", "compare", "observedShare", "preview", "reverify", "rollout", "workloads"}
"""What the default does not have: it speaks of every workload, and leaves the rest to the Rollout."""


def test_the_default_policy_says_what_the_code_does_and_leaves_out_nothing() -> None:
    default = next(located for located in POLICIES if located.file.endswith("policies/default.yaml"))
    assert parse_policy(default.manifest) == DEFAULT
    assert set(default.manifest["spec"]) == policy_fields() - UNSET


@pytest.mark.parametrize("located", POLICIES, ids=place)
def test_a_shipped_policy_parses(located: Located) -> None:
    assert parse_policy(located.manifest).name == located.key[2]


@pytest.mark.parametrize("located", TEMPLATES, ids=place)
def test_a_shipped_template_is_valid(located: Located) -> None:
    metrics = parse_metrics(tuple(located.manifest["spec"]["metrics"]))
    assert metrics
    assert validate(metrics, {"prometheus", "web", "job"}) is None


def asked(located: Located) -> list[tuple[str, Metric]]:
    """Each metric of a template with its arguments filled in, and its query."""
    spec = located.manifest["spec"]
    values = {one["name"]: str(one.get("value", "x")) for one in spec.get("args") or ()}
    metrics = parse_metrics(tuple(substitute(list(spec["metrics"]), values)))
    return [(str(metric.config["query"]), metric) for metric in metrics if metric.kind == "prometheus"]


CHOSEN = {"success-rate-or-silence": RunPhase.SUCCESSFUL, "success-rate-never-silent": RunPhase.FAILED}
"""What templates make of silence that are there to make something of it (no-traffic.yaml)."""


@pytest.mark.parametrize("located", TEMPLATES, ids=place)
def test_a_shipped_query_is_promql_and_no_answer_of_it_passes(located: Located) -> None:
    """No series, and NaN where nothing was divided by nothing, are neither a pass nor a failure: a person or the next minute decides."""
    for query, metric in asked(located):
        promql_parser.parse(query)
        conditions = Conditions(metric.success_condition, metric.failure_condition)
        for nothing in ([], [nan]):
            wanted = CHOSEN.get(located.key[2], RunPhase.INCONCLUSIVE)
            assert assess(conditions, nothing, NOW).phase is wanted, f"{metric.name}: {nothing}"
        phases = {assess(conditions, [value], NOW).phase for value in (0.0, 1e9)}
        assert phases == {RunPhase.SUCCESSFUL, RunPhase.FAILED}, f"{metric.name} has to be able to pass and to fail"
