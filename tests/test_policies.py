"""Every shipped policy and template parses with the parsers that read them in production."""

from pathlib import Path

import pytest

from reconciler.analysis.manifest import parse_metrics
from reconciler.analysis.validate import validate
from reconciler.app.cli.files import manifests_at, options_of
from reconciler.releases.policy import DEFAULT
from reconciler.releases.policy_manifest import parse_policy
from reconciler.sources.documents import Located
from tests.kit.releases import policy_fields

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "policies", ROOT / "sample-repo" / "environments", ROOT / "sample-repo" / "storefront" / "overlays" / "demo")
SHIPPED = [located for folder in FOLDERS for located in manifests_at([folder], options_of("", ())).manifests]
POLICIES = [located for located in SHIPPED if located.key[0].endswith("ReleasePolicy")]
TEMPLATES = [located for located in SHIPPED if located.key[0].endswith("AnalysisTemplate")]


def place(located: Located) -> str:
    return f"{Path(located.file).name}:{located.line}"


UNSET = {"keepRejected", "afterPromotion", "compare", "reverify", "rollout", "workloads"}
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
