"""Metric plug-ins are found by their entry point, held to the contract of a provider, and cost nobody else anything when they break it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.analysis.manifest import InvalidMetric, parse_metrics
from reconciler.analysis.model import Measurement, RunPhase
from reconciler.analysis.provider import Awaited, MeasurementTask, Provider
from reconciler.analysis.validate import validate
from reconciler.app.lint.lint import lint
from reconciler.kernel.identity import Manifest
from reconciler.kernel.redaction import Redactor
from reconciler.providers.plugins import GROUP, MetricPlugin, metric_plugins
from reconciler.providers.registry import installed
from tests.kit.analysis import Scripted, endpoint, metric, metric_manifest, run, stage
from tests.kit.analysis import task as task_of
from tests.kit.metricplugins import point
from tests.kit.metrics import metrics_client
from tests.kit.shell import Shell, shell

NAME = "example.com/latency"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers.md"


def plugin(value: str, name: str = NAME) -> MetricPlugin:
    (found,) = metric_plugins([point(name, value)])
    return found


def asked(config: Manifest, **limits: Any) -> MeasurementTask:
    return task_of(f"plugin {NAME}", config, **limits)


async def answer(value: str, config: Manifest) -> Measurement:
    async with metrics_client() as http:
        return await plugin(value).provider(http).run(asked(config))


async def test_a_plugin_measures_through_the_client_that_all_share() -> None:
    async with endpoint() as server, metrics_client() as http:
        server.answer("/p99", "0.25")
        made = plugin("Latency").provider(http)
        found = await made.run(asked({"url": f"{server.url}/p99"}, success_condition="result < 0.3"))
    assert (found.phase, found.value, found.metadata["series"]) == ("Successful", "0.25", "1")
    assert found.finished is not None and found.started is not None
    assert not isinstance(made, Awaited)


async def test_the_example_on_the_page_of_providers_is_one() -> None:
    names: dict[str, Any] = {}
    exec(PAGE.read_text().split("```python\n")[1].split("```")[0], names)
    async with endpoint() as server, metrics_client() as http:
        server.answer("/p99", "0.25")
        found = await MetricPlugin(NAME, names["Latency"]).provider(http).run(asked({"url": f"{server.url}/p99"}))
    assert (found.phase, found.value) == ("Successful", "0.25")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("dict", f'metric plugin "{NAME}" broke its contract: it answered dict, and no Measurement'),
        ("phase", f"metric plugin \"{NAME}\" broke its contract: its phase is 'Fine', and no RunPhase"),
        ("value", f'metric plugin "{NAME}" broke its contract: value, message, metadata and secrets have to be texts'),
        ("away", "the server is away"),
        ("exits", "SystemExit: 3"),
    ],
)
async def test_what_is_no_measurement_is_an_error_in_words(by: str, words: str) -> None:
    found = await answer("Broken", {"by": by})
    assert (found.phase, found.message) == (RunPhase.ERROR, words) and found.finished is not None


async def test_only_facts_that_are_some_are_taken_over() -> None:
    assert (await answer("Broken", {"by": "facts"})).metadata == {"fallback": "true", "own": "kept"}


async def test_one_that_takes_longer_is_awaited_and_ends_when_it_is_told_to() -> None:
    async with metrics_client() as http:
        made = plugin("Slow").provider(http)
        assert isinstance(made, Awaited)
        begun = await made.run(asked({}))
        assert begun.finished is None and begun.metadata == {"handle": "h-1"}
        done = await made.resume(asked({}), begun)
        assert (done.phase, done.value) == ("Successful", "done") and done.finished is not None
        ended = await made.terminate(asked({}), begun)
        assert ended.phase == "Inconclusive" and ended.finished is not None
        stubborn = await made.terminate(asked({"stubborn": True}), begun)
        assert stubborn.phase == "Error" and "terminate came back unfinished" in stubborn.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Demanding", "cannot be made: TypeError"),
        ("Silent", "makes no provider: it has no `async def run(self, task)`"),
        ("LIMIT", "tests.kit.metricplugins:LIMIT is no class or function"),
        ("Absent", "cannot be loaded from tests.kit.metricplugins:Absent: AttributeError"),
    ],
)
async def test_one_that_cannot_be_used_says_so_at_each_measurement(value: str, words: str) -> None:
    found = await answer(value, {})
    assert found.phase == "Error" and found.message.startswith(f'metric plugin "{NAME}" {words}')


def test_a_name_that_two_packages_have_is_nobodys() -> None:
    (found,) = metric_plugins([point(NAME, "Slow"), point(NAME, "Latency")])
    (problem,) = found.problems({})
    assert "is installed more than once (tests.kit.metricplugins:Latency, tests.kit.metricplugins:Slow)" in problem.detail
    assert plugin("Slow") == metric_plugins([point(NAME, "Slow"), point(NAME, "Slow")])[0]


def test_its_own_checks_are_asked_with_its_place() -> None:
    assert [(one.field, one.detail) for one in plugin("Latency").problems({})] == [(f"plugin.{NAME}.url", "is required")]
    assert list(plugin("Latency").problems({"url": "http://h"})) == list(plugin("Slow").problems({})) == []


def test_secrets_are_those_it_names_those_that_look_so_and_all_when_it_fails_to_say() -> None:
    wanted = metric(providers={f"plugin {NAME}": {"apiKey": "key-hunter2", "deep": [{"password": "pass-hunter2"}], "url": "http://h"}})
    for value, hidden in (("Latency", {"key-hunter2", "pass-hunter2"}), ("Broken", {"key-hunter2", "pass-hunter2", "http://h"})):
        made: Any = plugin(value).provider(None)  # type: ignore[arg-type]
        assert set(made.secrets(wanted)) == hidden
        assert "hunter2" not in Redactor(made.secrets(wanted)).text("key-hunter2 and pass-hunter2")


async def test_a_bug_of_a_plugin_costs_its_own_metric_and_no_other() -> None:
    async with metrics_client() as http:
        broken: Provider = plugin("Broken").provider(http)
        kind = {"plugin": {NAME: {"token": "tok-hunter2"}}}
        async with stage({f"plugin {NAME}": broken, "scripted": Scripted("S")}) as at:
            await at.create(run(metric_manifest("good"), metric_manifest("bad", provider=kind)))
            await at.look()
            found = {one["name"]: one["measurements"][0] for one in (await at.status())["metricResults"]}
    assert found["good"]["phase"] == "Successful"
    assert found["bad"]["phase"] == "Error" and "a bug: provider" in found["bad"]["message"] and "hunter2" not in str(found)


def test_one_that_is_not_installed_is_refused_by_name() -> None:
    (parsed,) = parse_metrics((metric_manifest(provider={"plugin": {NAME: None}}),))
    assert parsed.config == {}
    told = validate([parsed], installed())
    assert told == (
        f'metrics[0]: metric plugin "{NAME}" is not installed: no Python package beside the daemon has an entry point "{NAME}" for metrics'
    )
    with pytest.raises(InvalidMetric, match="must be an object"):
        parse_metrics((metric_manifest(provider={"plugin": {NAME: "text"}}),))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with a plug-in, installed beside us for one test."""
    site = tmp_path / "site"
    described = site / "acme_latency-1.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-latency\nVersion: 1\n")
    (described / "entry_points.txt").write_text(f"[{GROUP}]\n{NAME} = acme_latency:Latency\n")
    (site / "acme_latency.py").write_text("from tests.kit.metricplugins import Latency as Latency\n")
    monkeypatch.syspath_prepend(str(site))
    installed.cache_clear()
    yield NAME
    installed.cache_clear()
    sys.modules.pop("acme_latency", None)


@pytest.fixture
def sh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    with shell(tmp_path, capsys) as running:
        yield running


def template(config: Manifest) -> Manifest:
    spec = {"metrics": [{"name": "p99", "successCondition": "result < 0.3", "provider": {"plugin": {NAME: config}}}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "latency", "namespace": "shop"},
        "spec": spec,
    }


def test_an_installed_package_is_all_that_it_takes(sh: Shell, tmp_path: Path, package: str) -> None:
    context = endpoint()
    server = sh.ask(lambda _: context.__aenter__())
    server.answer("/p99", "0.25")
    file = tmp_path / "t.yaml"
    file.write_text(yaml.safe_dump(template({"url": f"{server.url}/p99", "apiKey": "key-hunter2"})))
    ended = sh("analyze", "-f", str(file))
    sh.ask(lambda _: context.__aexit__(None, None, None))
    assert ended.code == 0 and "0.25 < 0.3 is true" in ended.output and f"GET {server.url}/p99" in ended.output
    assert server.requests[0][2]["X-Key"] == "key-hunter2" and "hunter2" not in ended.output
    history = sh("backtest", "-f", str(file), "--releases", str(file))
    assert history.code == 3


def findings(config: Manifest) -> list[str]:
    report = lint({"t.yaml": yaml.safe_dump(template(config)).encode()})
    return [f"{one.severity}: {one.field}: {one.message}" for one in report.findings]


def test_lint_asks_an_installed_one_and_notes_another(package: str) -> None:
    assert findings({"url": "http://h"}) == []
    assert findings({}) == [f"error: spec.metrics[0].provider.plugin.{NAME}.url: is required"]
    assert findings({"url": "{{args.url}}"})[0].startswith("error: spec.metrics[0]: failed to resolve")


def test_lint_without_it_says_that_nothing_of_it_was_checked() -> None:
    (note,) = findings({"url": "http://h"})
    assert note.startswith(f"note: spec.metrics[0].provider.plugin.{NAME}: not checked: the plug-in is not installed here")
