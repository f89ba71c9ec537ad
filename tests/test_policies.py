"""Every shipped policy and template parses with the parsers that read them in production."""

from pathlib import Path

import pytest

from reconciler.analysis.manifest import parse_metrics
from reconciler.analysis.validate import validate
from reconciler.app.cli.files import manifests_at, options_of
from reconciler.releases.policy import DEFAULT
from reconciler.releases.policy_manifest import parse_policy
from reconciler.sources.documents import Located

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "policies", ROOT / "sample-repo" / "environments")
SHIPPED = [located for folder in FOLDERS for located in manifests_at([folder], options_of("", ())).manifests]
POLICIES = [located for located in SHIPPED if located.key[0].endswith("ReleasePolicy")]
TEMPLATES = [located for located in SHIPPED if located.key[0].endswith("AnalysisTemplate")]


def place(located: Located) -> str:
    return f"{Path(located.file).name}:{located.line}"


def test_the_default_policy_says_what_the_code_does() -> None:
    assert parse_policy(POLICIES[0].manifest) == DEFAULT


@pytest.mark.parametrize("located", POLICIES, ids=place)
def test_a_shipped_policy_parses(located: Located) -> None:
    assert parse_policy(located.manifest).name == located.key[2]


@pytest.mark.parametrize("located", TEMPLATES, ids=place)
def test_a_shipped_template_is_valid(located: Located) -> None:
    metrics = parse_metrics(tuple(located.manifest["spec"]["metrics"]))
    assert metrics
    assert validate(metrics, {"prometheus", "web", "job"}) is None
