"""The settings file: bounded, strict, and wrong things with their line."""

from pathlib import Path

import pytest

from reconciler.app.settings.reading import LIMIT, load_settings, settings_of
from reconciler.kernel.errors import Terminal

GOOD = """\
namespace: tools
sources:
  - name: shop
    repository: https://git.example.com/shop/manifests.git
    branch: main
    environment: production
"""


def refused(text: str) -> str:
    with pytest.raises(Terminal) as caught:
        settings_of(text, "reconciler.yaml")
    return str(caught.value)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(GOOD)
    assert load_settings(file).sources[0].name == "shop"


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        (GOOD.replace("branch", "brnch"), "reconciler.yaml:3: sources[0].branch: is required"),
        (GOOD + "    intervall: 5s\n", "reconciler.yaml:7: sources[0].intervall: unknown field"),
        (GOOD + "    interval: 5\n", "reconciler.yaml:7: sources[0].interval: expected a text"),
        (GOOD + "    interval: 5x\n", "reconciler.yaml:7: sources[0].interval: '5x' is not a duration"),
        (GOOD + "    alow:\n      kinds: []\n", "reconciler.yaml:7: sources[0].alow: unknown field"),
        (
            GOOD + "    allow:\n      kinds:\n        - Deployment\n        - 3\n",
            "reconciler.yaml:10: sources[0].allow.kinds[1]: expected a text",
        ),
        (GOOD + "leas: {}\n", "reconciler.yaml:7: leas: unknown field"),
        ("", "reconciler.yaml:1: document: expected a mapping, got nothing"),
        ("- a\n", "reconciler.yaml:1: document: expected a mapping, got a list"),
        ("a: [1\nb: 2\n", "reconciler.yaml:2: not YAML"),
        ("a: 1\n---\nb: 2\n", "reconciler.yaml:2: not YAML"),
    ],
)
def test_what_is_wrong_has_file_line_and_field(text: str, begin: str) -> None:
    assert refused(text).startswith(begin)


def test_yaml_makes_no_objects() -> None:
    assert "not YAML" in refused("namespace: !!python/object/apply:os.system ['true']\n")


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    todo = "name a settings file with -c FILE, see docs/configuration.md"
    with pytest.raises(Terminal, match=rf"^{tmp_path}/absent\.yaml: cannot be read: it does not exist; {todo}$"):
        load_settings(tmp_path / "absent.yaml")
    with pytest.raises(Terminal, match="cannot be read: it is a folder;"):
        load_settings(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Terminal, match="cannot be read: it is no text in UTF-8;"):
        load_settings(tmp_path / "binary.yaml")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_text("# " + "x" * LIMIT)
    with pytest.raises(Terminal, match="larger than 1 MiB"):
        load_settings(file)


def test_the_namespace_of_jobs_is_that_of_the_file_else_of_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(GOOD)
    monkeypatch.delenv("ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE", raising=False)
    assert load_settings(file).job_namespace == ""
    monkeypatch.setenv("ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE", "checks")
    assert load_settings(file).job_namespace == "checks"
    file.write_text(f"jobNamespace: jobs\n{GOOD}")
    assert load_settings(file).job_namespace == "jobs"
    file.write_text(f"jobNamespace: Jobs/1\n{GOOD}")
    with pytest.raises(Terminal, match=r"reconciler\.yaml:1.*jobNamespace"):
        load_settings(file)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE", "a b", "'a b' is not the name of a namespace"),
        ("ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG", "/elsewhere", "Jobs in another cluster are not supported"),
    ],
)
def test_a_variable_that_cannot_be_obeyed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(GOOD)
    monkeypatch.setenv(variable, value)
    with pytest.raises(Terminal, match=f"{variable}: {said}"):
        load_settings(file)


def test_the_address_of_prometheus_is_that_of_the_file_else_of_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(GOOD)
    monkeypatch.delenv("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS", raising=False)
    assert load_settings(file).prometheus == ""
    monkeypatch.setenv("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS", "http://elsewhere:9090")
    assert load_settings(file).prometheus == "http://elsewhere:9090"
    file.write_text(f"prometheus: http://here:9090\n{GOOD}")
    assert load_settings(file).prometheus == "http://here:9090"
