"""Puts the parts together from settings: knows every part, decides nothing."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from prometheus_client.registry import Collector

from reconciler.analysis.controller import AnalysisRunController
from reconciler.analysis.provider import Provider
from reconciler.app.collecting import ReleaseCollector, SourceCollector
from reconciler.app.indexes import INDEXES
from reconciler.app.policyfiles import PolicyFiles
from reconciler.app.reference_metrics import ReferenceCollector
from reconciler.app.router_plugins import installed as installed_routers
from reconciler.app.settings.model import NotifierSettings, Settings
from reconciler.aws.credentials import Aws
from reconciler.aws.elb import ElasticLoadBalancing
from reconciler.experiments.controller import ExperimentController
from reconciler.forges.fenced import FencedForge
from reconciler.forges.registry import ForgeTerms, forge
from reconciler.forges.rest import Token
from reconciler.git.command import Runner, Runners
from reconciler.git.credentials import NO_SSH_FILES, CredentialSource, SshFiles, credential_file, nobody
from reconciler.git.environment import Remote, remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from reconciler.kernel.clock import Clock, SystemClock, Timers
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Resource
from reconciler.kernel.resources import RELEASES
from reconciler.kernel.unusable import reason_of
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.notifiers.fenced import FencedNotifier
from reconciler.notifiers.registry import notifier
from reconciler.notifiers.webhook import WebhookTerms
from reconciler.providers.identities import Identities, secrets_of
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.registry import ProviderHands, installed, providers
from reconciler.releases.announce.apply_announcements import Announcements
from reconciler.releases.announce.apply_notices import Notices
from reconciler.releases.announce.forge import Forge
from reconciler.releases.announce.notice import Subscription
from reconciler.releases.apply_ledger import LedgerController
from reconciler.releases.comparison.observe import Sampling
from reconciler.releases.controller import Outside, ReleaseController
from reconciler.releases.opening.apply_opener import ReleaseOpener
from reconciler.releases.policies.observe import LocalPolicies, Policies
from reconciler.releases.restore.restoring import Hands, Restoration
from reconciler.renderers.chart_archives import HttpCharts, KeptCharts
from reconciler.renderers.registry import neighbour, renderer
from reconciler.rollouts.controller import RolloutController
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.plugin import StepPlugins
from reconciler.rollouts.traffic.named import Reach, Reaches
from reconciler.rollouts.traffic.router import kinds_of
from reconciler.runtime.access import ClusterAccess, cluster_access
from reconciler.runtime.engine import Engine
from reconciler.runtime.journal import Journal, Silence
from reconciler.runtime.recorder import Recorder
from reconciler.runtime.worker import Controller
from reconciler.sources.charts import ChartArchives
from reconciler.sources.follow import GitSource
from reconciler.sources.observe_inventory import Inventories
from reconciler.sources.renderer import Renderer, render_options
from reconciler.sources.settings import CredentialFile, SourceSettings
from reconciler.stepplugins.registry import StepHands, installed_steps
from reconciler.sync.apply_tenant import source_hands
from reconciler.sync.controller import Parts, SourceController
from reconciler.web.client import ask

WATCHES: Mapping[str, tuple[Resource, ...]] = {
    "rollout": (*RolloutController.watches, *ExperimentController.watches, *kinds_of(installed_routers())),
    "analysis": AnalysisRunController.watches,
    "release": (*ReleaseController.watches, *SourceController.watches),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a daemon stands on: the cluster, time, HTTP, a folder, and the fence before each push.

    `timers` lets time pass between two tries, `runners` start git, `steps` carry out plug-in steps: they are others in a rehearsal.
    """

    settings: Settings
    client: Client
    clock: Clock
    http: httpx.AsyncClient
    folder: Path
    git_fence: Fence
    read_only: bool = False
    timers: Timers = field(default_factory=SystemClock)
    runners: Runners = Runner
    steps: Callable[[StepHands], StepPlugins] = installed_steps
    journal: Journal = field(default_factory=Silence)


@dataclass(frozen=True, slots=True)
class Assembly:
    """A wired daemon: its engine, and the mirrors to close at the end."""

    engine: Engine
    recorder: Recorder
    mirrors: tuple[Mirror, ...]
    sources: Mapping[str, GitSource]
    policy_files: PolicyFiles
    collectors: tuple[Collector, ...]
    subscriptions: Mapping[str, Subscription]
    """Who tells people of which environments, by name."""

    async def run(self) -> None:
        """Watch, work and tell people, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.engine.run())
            group.create_task(self.recorder.run())

    def expect_news(self, source: str) -> None:
        """The branch of a source may have moved."""
        self.sources[source].expect_news()

    def judge_again(self) -> None:
        """Policies are others now: sources may adopt or hand back, and releases are judged by them."""
        for name in self.sources:
            self.engine.poke(Key("source", "", name))
        self.engine.hear_again(RELEASES)


@dataclass(frozen=True, slots=True)
class External:
    """What the daemon reaches beside watched objects: by name, and what sources have on record."""

    sources: Mapping[str, GitSource]
    forges: Mapping[str, Forge]
    subscriptions: Mapping[str, Subscription]
    inventories: Inventories
    """What sources ask for; the two controllers that look at it share what was read a moment ago."""


def assemble(environment: Environment) -> Assembly:
    """Everything one daemon runs, from its settings."""
    settings = environment.settings
    cache = Cache(_resources(settings), INDEXES)
    mirrors = _mirrors(environment)
    charts = HttpCharts(environment.http, environment.clock, KeptCharts(environment.folder / "charts"))
    sources = {s.name: _git_source(environment, mirrors[s.repository], s, charts) for s in settings.sources}
    forges = {s.name: _forge(s, environment) for s in settings.sources if s.forge is not None}
    local = LocalPolicies()
    policy_files = PolicyFiles(settings.policies if "release" in settings.controllers else "", local)
    policy_files.look()
    subscriptions = {n.name: _subscription(n, environment) for n in settings.notifiers}
    inventories = Inventories(environment.client, settings.namespace, environment.clock.monotonic)
    outside = External(sources, forges, subscriptions, inventories)
    recorder = Recorder(environment.client, environment.clock)
    access = cluster_access(environment.client, cache, environment.clock, recorder, environment.journal)
    controllers = _controllers(environment, access, outside, Policies(cache, local))
    engine = Engine(controllers, environment.client, cache, environment.clock)
    collectors = (
        ReleaseCollector(cache, _resources(settings), environment.clock.now()),
        SourceCollector(inventories),
        ReferenceCollector(cache, _driven(settings), recorder, engine.times, settings.instance_id),
    )
    return Assembly(engine, recorder, tuple(mirrors.values()), sources, policy_files, collectors, subscriptions)


def _resources(settings: Settings) -> tuple[Resource, ...]:
    """What the chosen controllers watch, and so may read from the cache."""
    return tuple(dict.fromkeys(resource for name in settings.controllers for resource in WATCHES[name]))


def _driven(settings: Settings) -> tuple[Resource, ...]:
    """What the rollout layer watches here: beside the reference, the reference itself tells of it."""
    return tuple(dict.fromkeys(resource for name in settings.controllers if name != "release" for resource in WATCHES[name]))


def _controllers(environment: Environment, access: ClusterAccess, outside: External, policies: Policies) -> list[Controller]:
    settings, sources, forges = environment.settings, outside.sources, outside.forges
    found: list[Controller] = []
    metrics = MetricsClient(environment.http, environment.clock, environment.timers)
    if environment.read_only:  # only sources are looked at: what they would do is said, and no other pass could do anything but ask
        return [_source_controller(environment, access, outside, policies)] if "release" in settings.controllers else []
    if "rollout" in settings.controllers:
        steps = environment.steps(StepHands(environment.http, settings.disabled_steps, environment.git_fence.check))
        found.append(RolloutController(access, _rollout_observer(access, environment), steps))
        found.append(ExperimentController(access, settings.instance_id))
    if "analysis" in settings.controllers:
        found.append(AnalysisRunController(access, _providers(environment, access, metrics), settings.instance_id))
    if "release" in settings.controllers:
        hands = {name: _hands(environment, source, forges.get(name)) for name, source in sources.items()}
        announcements, notices = Announcements(forges, access.cache, _console(settings)), Notices(outside.subscriptions, _console(settings))
        restoration = Restoration(hands, access.clock, environment.timers)
        identities = Identities(metrics, os.environ, secrets_of(access.client, settings.namespace))
        sampling = Sampling(Prometheus(metrics, settings.prometheus, identities), partial(ask, environment.http))
        reach = Outside(restoration, announcements, policies, outside.inventories, notices, sampling)
        found.append(ReleaseController(access, reach))
        found.append(_source_controller(environment, access, outside, policies))
        keeping = {name: one for name, one in hands.items() if one.source.settings.ledger}
        found += [LedgerController(access.cache, keeping)] if keeping else []
    return found


def _console(settings: Settings) -> str:
    """Where people open the console; empty if they have none."""
    return settings.console.url if settings.console is not None else ""


def _rollout_observer(access: ClusterAccess, environment: Environment) -> RolloutObserver:
    settings, send = environment.settings, partial(ask, environment.http)
    balancers = ElasticLoadBalancing(settings.aws, Aws(send, os.environ), send, access.clock) if settings.aws is not None else None
    return RolloutObserver(
        access.client, access.cache, installed_routers(), ObserverTerms(_reach(settings), settings.instance_id, balancers)
    )


def _source_controller(environment: Environment, access: ClusterAccess, outside: External, policies: Policies) -> SourceController:
    opener = ReleaseOpener(access, policies, Announcements(outside.forges, access.cache, _console(environment.settings)))
    parts = Parts(
        hands={name: source_hands(access, policies, opener, s.settings.service_account) for name, s in outside.sources.items()},
        opener=opener,
        apply=access.apply,
        inventories=outside.inventories,
        routers=installed_routers(),
        journal=access.journal,
        reporting=environment.read_only,
    )
    return SourceController(access.clock, outside.sources, parts)


def _reach(settings: Settings) -> Reaches:
    """Where the Rollouts of each source may move traffic, and of which kinds their routers may make objects."""
    return {source.name: Reach(frozenset(source.allow.namespaces), frozenset(source.allow.kinds)) for source in settings.sources}


def _mirrors(environment: Environment) -> dict[str, Mirror]:
    """One mirror per repository, whatever the number of its sources."""
    home = environment.folder / "home"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Terminal(f"workdir: {environment.folder} cannot be made: {reason_of(error)}; name a folder that can be written") from error
    found: dict[str, Mirror] = {}
    for source in environment.settings.sources:
        if source.repository not in found:
            name = hashlib.sha256(source.repository.encode()).hexdigest()[:16]
            remote = _remote(source.repository, source.credentials)
            found[source.repository] = Mirror(environment.folder / f"{name}.git", remote, home, runners=environment.runners)
    return found


def _providers(environment: Environment, access: ClusterAccess, metrics: MetricsClient) -> Mapping[str, Provider]:
    settings = environment.settings
    return providers(
        installed(),
        ProviderHands(
            client=access.client,
            http=metrics,
            prometheus_address=settings.prometheus,
            namespace=settings.namespace,
            variables=os.environ,
            job_namespace=settings.job_namespace,
        ),
    )


def _git_source(environment: Environment, mirror: Mirror, source: SourceSettings, charts: ChartArchives) -> GitSource:
    refs, found = RemoteRefs(environment.http, mirror.runner), renderer(source.renderer, render_options(source, charts))
    return GitSource(source, mirror, refs, found, siblings(source, environment.settings.sources, charts))


def siblings(source: SourceSettings, sources: Iterable[SourceSettings], charts: ChartArchives | None) -> dict[str, Renderer]:
    """What renders the other sources of the same branch."""
    same = [one for one in sources if (one.repository, one.branch) == (source.repository, source.branch) and one.name != source.name]
    return {one.name: neighbour(one.renderer, render_options(one, charts)) for one in same}


def _hands(environment: Environment, source: GitSource, known: Forge | None) -> Hands:
    plain = forge("plain", ForgeTerms(repository="", token=token_file("")), environment.http)
    settings = source.settings
    return Hands(source, known or plain, lambda: environment.git_fence.check(f"push to {settings.name}"), write_remote(settings))


def write_remote(source: SourceSettings) -> Remote:
    """Where the commits of a source go, and who we are there."""
    return _remote(source.repository, source.write_credentials or source.credentials)


def _remote(repository: str, known: CredentialFile | None) -> Remote:
    ssh = SshFiles(known.ssh_key_file, known.known_hosts_file) if known is not None else NO_SSH_FILES
    return remote_of(repository, _credential(known), ssh)


def _credential(known: CredentialFile | None) -> CredentialSource:
    if known is None or not known.password_file:
        return nobody
    return credential_file(known.username, known.password_file)


def _forge(source: SourceSettings, environment: Environment) -> Forge:
    assert source.forge is not None, "the caller looked"
    known = source.forge
    terms = ForgeTerms(repository=known.repository, token=token_file(known.token_file), api=known.api)
    return FencedForge(forge(known.kind, terms, environment.http), environment.git_fence.check)


def _subscription(known: NotifierSettings, environment: Environment) -> Subscription:
    url = token_file(known.url_file) if known.url_file else _fixed(known.url)
    token, secret = (token_file(path) if path else _fixed("") for path in (known.token_file, known.secret_file))
    told = notifier(known.kind, WebhookTerms(url=url, token=token, secret=secret), environment.http)
    return Subscription(FencedNotifier(told, environment.git_fence.check), frozenset(known.environments))


def _fixed(text: str) -> Token:
    async def read() -> str:
        return text

    return read


def token_file(path: str) -> Token:
    """A token that is read from its file at each use, so it may rotate."""

    async def read() -> str:
        try:
            return (await asyncio.to_thread(Path(path).read_text, encoding="utf-8")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Transient(f"the token file {path} cannot be read: {reason_of(error)}; check that it is mounted") from error

    return read
