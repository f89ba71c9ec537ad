"""The words of `reconciler.yaml`, strictly (docs/configuration.md)."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

from reconciler.app.settings.console import ADDRESS, console_settings
from reconciler.app.settings.drift import drift_settings
from reconciler.app.settings.freezes import frozen_sources, planned_freeze
from reconciler.app.settings.health import health_rule
from reconciler.app.settings.helm import helm_settings
from reconciler.app.settings.journal import journal_settings
from reconciler.app.settings.jsonnet import jsonnet_settings
from reconciler.app.settings.model import NotifierSettings, Settings
from reconciler.app.settings.sops import sops_settings
from reconciler.aws.elb import RESOURCE, AwsTerms
from reconciler.forges.registry import FORGES
from reconciler.git.environment import is_ssh, remote_of
from reconciler.git.objects import Committer, TrustedKeys
from reconciler.kernel.errors import Terminal
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.kernel.text import commit_line
from reconciler.notifiers.registry import NOTIFIERS
from reconciler.releases.announce.message import SUBJECT_WORDS
from reconciler.renderers.registry import RENDERERS
from reconciler.sources.exclusion import readable
from reconciler.sources.settings import Allow, CredentialFile, ForgeSettings, HelmSettings, JsonnetSettings, PruneLimit, SourceSettings
from reconciler.sources.windows import ALLOW, DENY, SyncWindow, check

CONTROLLERS = ("rollout", "analysis", "release")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
ENVIRONMENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]|[._](?=[A-Za-z0-9])){0,62}")
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
ACCOUNT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
LEASE = (timedelta(seconds=15), timedelta(seconds=5))


def parse_settings(document: Any) -> Settings:
    """The settings of one decoded document. Raises FieldError naming the first wrong field."""
    fields = StrictFields(document)
    duration, renewal = fields.inner("lease", _lease) or LEASE
    settings = Settings(
        namespace=fields.text("namespace", "reconciler"),
        listen=fields.text("listen", "127.0.0.1:8090"),
        prometheus=fields.address("prometheus", ""),
        job_namespace=_place(fields, "jobNamespace"),
        controllers=_controllers(fields),
        instance_id=_instance_id(fields),
        workdir=fields.text("workdir", ""),
        lease_duration=duration,
        lease_renewal=renewal,
        policies=fields.text("policies", ""),
        webhook_secret_file=fields.inner("webhook", _webhook) or "",
        sources=frozen_sources(fields.each("sources", _source), fields.each("freezes", planned_freeze)),
        notifiers=fields.each("notifiers", _notifier),
        console=fields.inner("console", console_settings),
        disabled_steps=frozenset(fields.texts("disabledStepPlugins")),
        aws=fields.inner("aws", _aws),
        journal=fields.inner("journal", journal_settings),
        link_local=fields.flag("linkLocal", default=False),
    )
    fields.done()
    _unique(settings)
    _heard_of(settings)
    _without_releases(settings)
    return settings


def _controllers(fields: StrictFields) -> tuple[str, ...]:
    named = fields.texts("controllers") or CONTROLLERS
    for name in named:
        if name not in CONTROLLERS:
            raise FieldError("controllers", f"{name!r} is not one of {', '.join(CONTROLLERS)}")
    return named


def _instance_id(fields: StrictFields) -> str:
    """Part of a label's value and of a Lease's name."""
    if not fields.text("instanceId", ""):
        return ""
    return fields.matching("instanceId", NAMESPACE, "a word of at most 63 small letters, digits and dashes")


def _without_releases(settings: Settings) -> None:
    """Releases know no instance: two daemons of two instances would both judge every one of them."""
    if settings.instance_id and "release" in settings.controllers:
        raise FieldError("instanceId", "goes with controllers: [rollout, analysis]; releases are driven by a daemon without an instance id")


def _lease(fields: StrictFields) -> tuple[timedelta, timedelta]:
    terms = fields.span("duration", "15s"), fields.span("renewEvery", "5s")
    fields.done()
    if terms[1] * 2 > terms[0]:
        raise FieldError(fields.path("renewEvery"), "must be at most half of lease.duration, or one late renewal loses the lease")
    return terms


def _webhook(fields: StrictFields) -> str:
    secret = fields.text("secretFile")
    fields.done()
    return secret


def _aws(fields: StrictFields) -> AwsTerms:
    terms = AwsTerms(fields.text("region", ""), fields.text("endpoint", "").rstrip("/"), fields.text("resourceTag", RESOURCE))
    if terms.endpoint and (not ADDRESS.fullmatch(terms.endpoint) or _holds_credentials(terms.endpoint)):
        raise FieldError(fields.path("endpoint"), "is no address: write one like https://elasticloadbalancing.eu-west-1.amazonaws.com")
    fields.done()
    return terms


def _source(fields: StrictFields) -> SourceSettings:
    repository = _repository(fields)
    source = SourceSettings(
        name=fields.matching("name", NAME, "a name of at most 40 small letters, digits and dashes"),
        repository=repository,
        branch=fields.text("branch"),
        path=fields.text("path", "."),
        environment=fields.matching("environment", ENVIRONMENT, "a word of letters, digits, dots and dashes"),
        interval=fields.span("interval", "30s"),
        apply=fields.flag("apply", False),
        companion=_companion(fields),
        allow=fields.inner("allow", _allow) or Allow(),
        service_account=_service_account(fields),
        namespace=_place(fields, "namespace"),
        exclude=_exclude(fields),
        renderer=_renderer(fields),
        helm=fields.inner("helm", helm_settings) or HelmSettings(),
        jsonnet=fields.inner("jsonnet", jsonnet_settings) or JsonnetSettings(),
        sops=fields.inner("sops", sops_settings),
        application=_place(fields, "application"),
        prune=fields.flag("prune", True),
        prune_limit=fields.inner("pruneLimit", _prune_limit) or PruneLimit(),
        windows=fields.each("windows", _window),
        drift=drift_settings(fields),
        health=fields.each("health", health_rule),
        hooks=fields.flag("hooks", True),
        ledger=fields.flag("ledger", False),
        wave_deadline=fields.span("waveDeadline", "10m"),
        credentials=fields.inner("credentials", lambda inner: _credentials(inner, repository)),
        write_credentials=fields.inner("writeCredentials", lambda inner: _credentials(inner, repository)),
        trusted_keys=fields.inner("verify", _trusted_keys) or TrustedKeys(),
        forge=fields.inner("forge", lambda inner: _forge(inner, repository)),
        committer=fields.inner("committer", _committer) or Committer(),
    )
    fields.done()
    if source.trusted_keys and (source.apply or source.companion) and not source.committer.signing_key_file:
        problem = "is needed beside verify: a restore that is not signed would be a commit that this source does not take"
        raise FieldError(fields.path("committer.signingKeyFile"), problem)
    return source


def _repository(fields: StrictFields) -> str:
    repository = fields.text("repository")
    if _holds_credentials(repository):
        raise FieldError(fields.path("repository"), "holds credentials: put them in credentials.passwordFile instead")
    try:
        return remote_of(repository).url
    except Terminal as error:
        raise FieldError(fields.path("repository"), str(error)) from error


def _trusted_keys(fields: StrictFields) -> TrustedKeys:
    keys = TrustedKeys(fields.text("allowedSignersFile", ""), fields.text("keyringFile", ""))
    fields.done()
    if not keys:
        raise FieldError(fields.path("allowedSignersFile"), "or keyringFile names the keys that are trusted: write one of them, or both")
    return keys


def _companion(fields: StrictFields) -> bool:
    if not fields.flag("companion", False):
        return False
    if fields.flag("apply", False):
        raise FieldError(fields.path("companion"), "somebody else applies beside a companion: take apply: true or companion: true away")
    return True


def _holds_credentials(repository: str) -> bool:
    """True when a URL carries a password, or a name where only a token would be written as one (ssh names its user there)."""
    scheme, separator, rest = repository.partition("://")
    user, at, _ = rest.split("/", 1)[0].rpartition("@")
    return bool(separator and at) and (scheme != "ssh" or ":" in user)


def _place(fields: StrictFields, field: str) -> str:
    """The name of a namespace; empty where none is written."""
    return fields.matching(field, NAMESPACE, "the name of a namespace") if fields.text(field, "") else ""


def _service_account(fields: StrictFields) -> str:
    """`namespace/name`; empty where none is written."""
    words = "a ServiceAccount: write it as namespace/name"
    return fields.matching("serviceAccount", ACCOUNT, words) if fields.text("serviceAccount", "") else ""


def _exclude(fields: StrictFields) -> tuple[str, ...]:
    globs = fields.texts("exclude")
    for glob in globs:
        if not glob.strip("/") or ".." in glob.split("/") or not readable(glob):
            raise FieldError(
                fields.path("exclude"), f"{glob!r} is no glob of files below the source's path: write one like `ci/**` or `*.json`"
            )
    return globs


def _renderer(fields: StrictFields) -> str:
    """The renderer by name; empty where the files decide."""
    name = fields.text("renderer", "")
    if name and name not in RENDERERS:
        raise FieldError(fields.path("renderer"), f"{name!r} is not one of {', '.join(sorted(RENDERERS))}")
    return name


def _allow(fields: StrictFields) -> Allow:
    allow = Allow(namespaces=fields.texts("namespaces"), kinds=fields.texts("kinds"))
    fields.done()
    return allow


def _prune_limit(fields: StrictFields) -> PruneLimit:
    limit = PruneLimit(fields.whole("percent", 20), fields.whole("objects", 10))
    fields.done()
    return limit


def _window(fields: StrictFields) -> SyncWindow:
    zone, schedule = fields.text("timeZone", "UTC"), fields.text("schedule")
    try:
        check(schedule, zone)
    except ValueError as error:
        raise FieldError(fields.path("timeZone" if "time zone" in str(error) else "schedule"), str(error)) from error
    window = SyncWindow(kind=fields.choice("kind", (ALLOW, DENY)), schedule=schedule, duration=fields.span("duration"), zone=zone)
    fields.done()
    return window


def _credentials(fields: StrictFields, repository: str) -> CredentialFile:
    """A password over HTTP, or an ssh key and the hosts that are trusted."""
    over_ssh = is_ssh(repository)
    credentials = CredentialFile(
        username=fields.text("username", "" if over_ssh else None),
        password_file=fields.text("passwordFile", "" if over_ssh else None),
        ssh_key_file=fields.text("sshKeyFile", ""),
        known_hosts_file=fields.text("knownHostsFile", ""),
    )
    fields.done()
    if over_ssh and credentials.password_file:
        raise FieldError(fields.path("passwordFile"), "is for https repositories: this one is reached by ssh, write sshKeyFile")
    if not over_ssh and (credentials.ssh_key_file or credentials.known_hosts_file):
        wrong = "sshKeyFile" if credentials.ssh_key_file else "knownHostsFile"
        raise FieldError(fields.path(wrong), "is for ssh repositories: write the repository as ssh://git@host/path or git@host:path")
    return credentials


def _forge(fields: StrictFields, repository: str) -> ForgeSettings:
    kind = fields.choice("kind", tuple(sorted(FORGES)))
    forge = ForgeSettings(
        kind=kind,
        api=fields.address("api", "https://api.github.com"),
        repository=fields.text("repository", _repository_name(repository)),
        token_file=fields.text("tokenFile", "" if kind == "plain" else None),
    )
    fields.done()
    return forge


def _notifier(fields: StrictFields) -> NotifierSettings:
    notifier = NotifierSettings(
        name=fields.matching("name", NAME, "a name of at most 40 small letters, digits and dashes"),
        kind=fields.choice("kind", tuple(sorted(NOTIFIERS))),
        url=fields.address("url", ""),
        url_file=fields.text("urlFile", ""),
        token_file=fields.text("tokenFile", ""),
        secret_file=fields.text("secretFile", ""),
        environments=fields.texts("environments"),
    )
    if bool(notifier.url) == bool(notifier.url_file):
        raise FieldError(fields.path("url"), "write either url, or urlFile where the address itself is a secret")
    if notifier.url and _holds_credentials(notifier.url):
        raise FieldError(fields.path("url"), "holds credentials: put the address into a file and name it in urlFile")
    fields.done()
    return notifier


def _committer(fields: StrictFields) -> Committer:
    committer = Committer(
        name=fields.text("name", "reconciler"),
        email=fields.text("email", "reconciler@localhost"),
        signing_key_file=fields.text("signingKeyFile", ""),
        sign_off=fields.flag("signOff", False),
        skip_pipelines=fields.flag("skipPipelines", False),
        subject=_subject(fields),
    )
    fields.done()
    return committer


def _subject(fields: StrictFields) -> str:
    """A template of one line; empty for our own words."""
    template = fields.text("subject", "")
    unknown = [word for word in re.findall(r"\{([^{}]*)\}", template) if word not in SUBJECT_WORDS]
    if unknown:
        raise FieldError(fields.path("subject"), f"{{{unknown[0]}}} is not one of {', '.join(f'{{{word}}}' for word in SUBJECT_WORDS)}")
    if len(template.splitlines()) > 1 or (template and not template.strip()):
        raise FieldError(fields.path("subject"), "is the first line of a commit: write one line")
    if template and commit_line(template) != template:
        words = "git or a forge would read more into it than words (a trailer, a mention, an issue, a directive)"
        raise FieldError(fields.path("subject"), f"{words}: write it like revert({{workload}}): …")
    return template


def _repository_name(url: str) -> str:
    """`owner/name` from a repository's URL."""
    return "/".join(url.removesuffix("/").removesuffix(".git").split("/")[-2:])


def _unique(settings: Settings) -> None:
    for field, named in (("sources", settings.sources), ("notifiers", settings.notifiers)):
        for name, count in Counter(one.name for one in named).items():
            if count > 1:
                raise FieldError(field, f"{count} {field} are named {name!r}: names must differ")


def _heard_of(settings: Settings) -> None:
    """A notifier for an environment that no source has would never say anything."""
    known = sorted({source.environment for source in settings.sources})
    for index, notifier in enumerate(settings.notifiers):
        unknown = [name for name in notifier.environments if name not in known]
        if known and unknown:
            problem = f"no source has the environment {unknown[0]!r}; the sources have {', '.join(known)}"
            raise FieldError(f"notifiers[{index}].environments", problem)
