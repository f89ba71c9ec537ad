"""What every provider promises, and every fake of one too."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from reconciler.analysis.model import RunPhase
from reconciler.analysis.provider import Awaited, Checking, Confiding, MeasurementTask, Provider, Sweeping
from reconciler.app.lint.shapes import misshapen
from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Remove
from reconciler.providers.graphite import Graphite
from reconciler.providers.job import Job
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.registry import PROVIDERS, ProviderHands
from reconciler.providers.web import Web
from tests.kit.analysis import NOW, Scripted, endpoint, measurement, task, vector
from tests.kit.clusters import NAMESPACE, api
from tests.kit.metrics import metrics_client, nobody
from tests.kit.providers import KAYENTA, SCRIPTS, keep

JOB: Manifest = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}


@dataclass(frozen=True)
class Case:
    """A provider with a question it can answer and one it cannot."""

    provider: Provider
    good: MeasurementTask
    bad: MeasurementTask


@asynccontextmanager
async def case_of(name: str) -> AsyncIterator[Case]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(metrics_client())
        server = await stack.enter_async_context(endpoint())
        server.answer("/api/v1/query", vector("1"))
        server.answer("/", {"ok": True})
        if name == "job":
            kubernetes = await stack.enter_async_context(api())
            yield Case(Job(kubernetes.client), task("job", JOB), task("job", {"spec": "nonsense"}))
        if name == "prometheus":
            provider = Prometheus(client, server.url, nobody(client))
            yield Case(provider, task("prometheus", {"query": "up"}), task("prometheus", {"query": "up", "address": "nowhere"}))
        if name == "graphite":
            server.answer("/render", [{"target": "up", "datapoints": [[1.0, 1700000000]]}])
            good, bad = ({"address": address, "query": "target=up"} for address in (server.url, f"{server.url}/missing"))
            yield Case(Graphite(client), task("graphite", good), task("graphite", bad))
        if name in SCRIPTS:
            kubernetes = await stack.enter_async_context(api())
            for secret, texts in SCRIPTS[name].secrets(server.url).items():
                await keep(kubernetes.client, secret, texts)
            for path, body in SCRIPTS[name].answers.items():
                server.answer(path, body)
            told = SCRIPTS[name].variables(server.url)
            hands = ProviderHands(client=kubernetes.client, http=client, prometheus_address="", namespace=NAMESPACE, variables=told)
            good = SCRIPTS[name].config(server.url)
            yield Case(PROVIDERS[name].make(hands), task(name, good), task(name, {**good, **SCRIPTS[name].spoiled}))
        if name == "web":
            yield Case(Web(client), task("web", {"url": server.url}), task("web", {"url": f"{server.url}/missing"}))
        if name == "scripted":
            yield Case(Scripted("RE"), task("scripted", {}), task("scripted", {}))


NAMES = (*PROVIDERS, "scripted")
FROM_SECRETS = ("datadog", "newRelic", "influxdb")
"""Providers whose configuration has no place for a credential."""


@pytest.mark.parametrize("name", NAMES)
async def test_a_measurement_says_when_it_began_and_ends_when_it_is_final(name: str) -> None:
    async with case_of(name) as case:
        found = await case.provider.run(case.good)
    assert found.started == NOW
    assert (found.finished is not None) is found.phase.completed


@pytest.mark.parametrize("name", NAMES)
async def test_what_goes_wrong_outside_is_an_error_in_words(name: str) -> None:
    async with case_of(name) as case:
        if name == "scripted":
            await case.provider.run(case.good)
        found = await case.provider.run(case.bad)
    assert found.phase is RunPhase.ERROR and found.finished == NOW
    assert found.message or name == "scripted"


@pytest.mark.parametrize("name", NAMES)
async def test_an_awaited_measurement_that_is_told_to_end_comes_back_finished(name: str) -> None:
    async with case_of(name) as case:
        begun = await case.provider.run(case.good)
        if not isinstance(case.provider, Awaited):
            assert begun.finished is not None, "what is never waited for is finished at once"
            return
        found = await case.provider.terminate(case.good, begun if begun.finished is None else measurement("R"))
    assert (found.phase, found.message, found.finished) == (RunPhase.INCONCLUSIVE, "Metric Terminated", NOW)


@pytest.mark.parametrize("name", NAMES)
async def test_an_awaited_measurement_may_be_looked_at_again_and_again(name: str) -> None:
    async with case_of(name) as case:
        awaited = await case.provider.run(case.good)
        if not isinstance(case.provider, Awaited):
            assert await case.provider.run(case.good) == awaited, "the same question has the same answer"
            return
        first = await case.provider.resume(case.good, awaited)
        second = await case.provider.resume(case.good, awaited)
    assert first == second and first.started == NOW


CONFIGURATIONS: tuple[tuple[str, Manifest, str], ...] = (
    ("prometheus", {"query": "up"}, ""),
    ("prometheus", {}, "prometheus.query"),
    ("prometheus", {"query": 1}, "prometheus.query"),
    ("prometheus", {"query": "up", "address": "nowhere"}, "prometheus"),
    ("prometheus", {"query": "up", "timeout": -1}, "prometheus"),
    ("prometheus", {"query": "up", "rangeQuery": {"start": 'now() - duration("5m")', "end": "now()", "step": "soon"}}, "prometheus"),
    ("web", {"url": "http://h"}, ""),
    ("web", {}, "web.url"),
    ("web", {"url": "http://h", "method": "DELETE"}, "web"),
    ("web", {"url": "http://h", "body": "x"}, "web"),
    ("cloudWatch", {"interval": "10m", "metricDataQueries": [{"id": "a", "expression": "b / c", "period": "60"}]}, ""),
    ("cloudWatch", {"metricDataQueries": [{"id": "a", "metricStat": {"metric": {"metricName": "m"}, "period": 60, "stat": "Sum"}}]}, ""),
    ("cloudWatch", {}, "cloudWatch.metricDataQueries"),
    ("cloudWatch", {"interval": "0s", "metricDataQueries": [{"id": "a", "expression": "b"}]}, "cloudWatch.interval"),
    ("cloudWatch", {"metricDataQueries": [{"expression": "b"}]}, "cloudWatch.metricDataQueries[0].id"),
    ("cloudWatch", {"metricDataQueries": [{"id": "a"}]}, "cloudWatch.metricDataQueries[0]"),
    ("cloudWatch", {"metricDataQueries": [{"id": "a", "expression": "b", "period": "x"}]}, "cloudWatch.metricDataQueries[0].period"),
    ("graphite", {"address": "http://h", "query": "target=up"}, ""),
    ("graphite", {"address": "http://h"}, "graphite.query"),
    ("graphite", {"query": "target=up"}, "graphite.address"),
    ("graphite", {"address": "nowhere", "query": "target=up"}, "graphite.address"),
    ("graphite", {"address": "http://h", "query": 1}, "graphite.query"),
    ("datadog", {"query": "avg:system.load.1{*}"}, ""),
    ("datadog", {"apiVersion": "v2", "queries": {"a": "q", "b": "q"}, "formula": "a / b", "aggregator": "sum", "interval": "1m"}, ""),
    ("datadog", {"apiVersion": "v2", "query": "q", "secretRef": {"name": "dd", "namespaced": True}}, ""),
    ("datadog", {}, "datadog.query"),
    ("datadog", {"query": "q", "queries": {"a": "q"}}, "datadog.query"),
    ("datadog", {"queries": {"a": "q"}}, "datadog.query"),
    ("datadog", {"apiVersion": "v3", "query": "q"}, "datadog.apiVersion"),
    ("datadog", {"query": "q", "aggregator": "avg"}, "datadog.aggregator"),
    ("datadog", {"apiVersion": "v2", "query": "q", "aggregator": "median"}, "datadog.aggregator"),
    ("datadog", {"apiVersion": "v2", "query": "q", "formula": "a"}, "datadog.formula"),
    ("datadog", {"apiVersion": "v2", "queries": {"a": "q", "b": "q"}}, "datadog.formula"),
    ("datadog", {"apiVersion": "v2", "queries": ["q"]}, "datadog.queries"),
    ("datadog", {"query": "q", "interval": "soon"}, "datadog.interval"),
    ("datadog", {"query": "q", "requestTimeout": "0s"}, "datadog.requestTimeout"),
    ("datadog", {"query": "q", "secretRef": {"namespaced": True}}, "datadog.secretRef.name"),
    ("newRelic", {"query": "FROM T SELECT 1", "profile": "p", "timeout": 10}, ""),
    ("newRelic", {}, "newRelic.query"),
    ("newRelic", {"query": "q", "timeout": -1}, "newRelic.timeout"),
    ("wavefront", {"address": "example.wavefront.com", "query": "ts(a)"}, ""),
    ("wavefront", {"query": "ts(a)"}, "wavefront.address"),
    ("wavefront", {"address": "h"}, "wavefront.query"),
    ("influxdb", {"query": "from(bucket: 'a')", "profile": "p"}, ""),
    ("influxdb", {"profile": "p"}, "influxdb.query"),
    ("skywalking", {"address": "http://h", "query": "query { a }", "interval": "5m"}, ""),
    ("skywalking", {"address": "http://h", "query": "query { a }"}, "skywalking.interval"),
    ("skywalking", {"address": "http://h", "query": "query { a }", "interval": "soon"}, "skywalking.interval"),
    ("kayenta", KAYENTA, ""),
    ("kayenta", {**KAYENTA, "threshold": {"pass": 50, "marginal": 80}}, "kayenta.threshold.pass"),
    ("kayenta", {**KAYENTA, "scopes": []}, "kayenta.scopes"),
    ("kayenta", {**KAYENTA, "scopes": [{"name": "a", "controlScope": {"start": "2026-11-25T12:00:00Z"}}]}, "kayenta.scopes[0]"),
    ("kayenta", {key: value for key, value in KAYENTA.items() if key != "application"}, "kayenta.application"),
    ("job", JOB, ""),
    ("job", {"spec": {}}, "job.spec.template"),
    ("job", {"spec": "nonsense"}, "job.spec"),
)


@pytest.mark.parametrize(("name", "config", "field"), CONFIGURATIONS)
def test_a_configuration_is_checked_without_any_hands(name: str, config: Manifest, field: str) -> None:
    assert [problem.field for problem in PROVIDERS[name].checks.problems(config)] == ([field] if field else [])


@pytest.mark.parametrize(("name", "config"), [(name, config) for name, config, field in CONFIGURATIONS if not field])
def test_a_configuration_has_the_shape_that_its_provider_says(name: str, config: Manifest) -> None:
    def told(written: Manifest) -> list[str]:
        return [remark.field for remark in misshapen("AnalysisTemplate", {"spec": {"metrics": [{"provider": {name: written}}]}})]

    assert told(config) == []
    assert told({**config, "mistyped": "x"}) == [f"spec.metrics[0].provider.{name}.mistyped"]


def test_every_provider_has_a_good_and_a_bad_configuration_here() -> None:
    assert (
        {name for name, _, field in CONFIGURATIONS if field} == {name for name, _, field in CONFIGURATIONS if not field} == set(PROVIDERS)
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name != "scripted"])
async def test_what_a_provider_may_also_do_it_does_in_full(name: str) -> None:
    """A token in a header, in an address and in a form of authentication is confided; nothing that a run left outside is forgotten."""
    config: Manifest = {
        "url": "https://user:in-url-1@h/?api_key=in-query-1",
        "address": "https://user:in-url-1@h/?api_key=in-query-1",
        "headers": [{"key": "Authorization", "value": "Bearer in-header-1"}, {"key": "Accept", "value": "text/plain"}],
        "authentication": {"basicAuth": {"username": "u", "password": "in-basic-1"}, "oauth2": {"clientSecret": "in-oauth-1"}},
    }
    async with case_of(name) as case:
        if isinstance(case.provider, Confiding):
            confided = set(case.provider.secrets(task(name, config).metric))
            assert {"in-url-1", "in-query-1", "in-header-1", "in-basic-1", "in-oauth-1"} <= confided and "text/plain" not in confided
        if isinstance(case.provider, Sweeping):
            begun = [await case.provider.run(replace(case.good, number=number)) for number in (1, 2, 3)]
            found = await case.provider.sweep(case.good.run, begun, 1)
            assert [action.ref.name[-2:] for action in found if isinstance(action, Remove)] == [".1", ".2"]
    assert isinstance(case.provider, Checking)
    assert isinstance(case.provider, Confiding | Sweeping) or name in FROM_SECRETS
