"""Which providers exist, by their key in a metric's `provider`: one row each. What is served is said here and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import entry_points

from reconciler.analysis.provider import Checking, Provider
from reconciler.kube.client import Client
from reconciler.providers.cloudwatch import CloudWatch
from reconciler.providers.datadog import Datadog
from reconciler.providers.graphite import Graphite
from reconciler.providers.identities import Identities, secrets_of
from reconciler.providers.influxdb import InfluxDB
from reconciler.providers.job import Job
from reconciler.providers.kayenta import Kayenta
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.newrelic import NewRelic
from reconciler.providers.plugins import GROUP, MetricPlugin, metric_plugins
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.skywalking import SkyWalking
from reconciler.providers.wavefront import Wavefront
from reconciler.providers.web import Web


@dataclass(frozen=True, kw_only=True)
class ProviderHands:
    """What providers reach the world with."""

    client: Client
    http: MetricsClient
    prometheus_address: str
    namespace: str = "reconciler"
    """The daemon's own, where the Secrets of providers are."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The daemon's environment, as far as a provider reads it."""
    job_namespace: str = ""

    @cached_property
    def identities(self) -> Identities:
        """Who we are in clouds: asked for once for all providers."""
        return Identities(self.http, self.variables, secrets_of(self.client, self.namespace))


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider: what checks a configuration without any hands, and how it is made with them.

    `judges`: it says by itself whether a measurement succeeded, so that a metric needs no condition.
    """

    checks: Checking
    make: Callable[[ProviderHands], Provider]
    judges: bool = False


PROVIDERS: Mapping[str, ProviderRow] = {
    "prometheus": ProviderRow(Prometheus, lambda hands: Prometheus(hands.http, hands.prometheus_address, hands.identities)),
    "web": ProviderRow(Web, lambda hands: Web(hands.http)),
    "cloudWatch": ProviderRow(CloudWatch, lambda hands: CloudWatch(hands.http, hands.identities)),
    "graphite": ProviderRow(Graphite, lambda hands: Graphite(hands.http)),
    "datadog": ProviderRow(Datadog, lambda hands: Datadog(hands.http, hands.client, hands.namespace, hands.variables)),
    "newRelic": ProviderRow(NewRelic, lambda hands: NewRelic(hands.http, hands.client, hands.namespace)),
    "wavefront": ProviderRow(Wavefront, lambda hands: Wavefront(hands.http, hands.client, hands.namespace)),
    "influxdb": ProviderRow(InfluxDB, lambda hands: InfluxDB(hands.http, hands.client, hands.namespace)),
    "kayenta": ProviderRow(Kayenta, lambda hands: Kayenta(hands.http), judges=True),
    "skywalking": ProviderRow(SkyWalking, lambda hands: SkyWalking(hands.http)),
    "job": ProviderRow(Job, lambda hands: Job(hands.client, hands.job_namespace), judges=True),
}


@cache
def installed() -> Mapping[str, ProviderRow]:
    """All providers: ours, and the metric plug-ins among the packages that this process was started with."""
    return {**PROVIDERS, **{plugin.kind: _plugin_row(plugin) for plugin in metric_plugins(entry_points(group=GROUP))}}


def _plugin_row(plugin: MetricPlugin) -> ProviderRow:
    return ProviderRow(plugin, lambda hands: plugin.provider(hands.http))


def providers(rows: Mapping[str, ProviderRow], hands: ProviderHands) -> Mapping[str, Provider]:
    """Providers over shared hands; a metric that names another one is refused by validation."""
    return {name: row.make(hands) for name, row in rows.items()}
