"""What `reconciler.yaml` says, parsed: the daemon's own settings and its sources (docs/configuration.md)."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.app.settings.journal import JournalSettings
from reconciler.aws.elb import AwsTerms
from reconciler.kernel.address import split_address
from reconciler.sources.settings import SourceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSettings:
    """Where people are told: `url` or the file that holds it; `environments` empty means all of them."""

    name: str
    kind: str
    url: str = ""
    url_file: str = ""
    token_file: str = ""
    secret_file: str = ""
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdSettings:
    """One identity provider (OpenID Connect), and which of its claims name a person and their groups."""

    issuer: str
    client: str
    secret_file: str = ""
    """Empty for a public client."""
    scopes: tuple[str, ...] = ()
    user_claim: str = "email"
    groups_claim: str = "groups"
    user_prefix: str = ""
    """Written before the name and the groups, as the API server's own --oidc-username-prefix and --oidc-groups-prefix."""
    groups_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSettings:
    """What the members of a group may do; `namespaces` empty means all of them."""

    group: str
    role: str
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """How people say who they are, and what they may do."""

    session: timedelta
    openid: OpenIdSettings | None = None
    token: bool = False
    """A token of the cluster, checked by a TokenReview."""
    roles: tuple[RoleSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """Where the daemon serves the console, and the names by which it may be called beside its own address and this machine's."""

    listen: str
    hosts: tuple[str, ...] = ()
    url: str = ""
    """Where people open it, without a slash at the end; what they are told of a release leads there."""
    anonymous: bool = False
    """Everybody who reaches it may look; without `login` that is so on loopback anyway."""
    login: LoginSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which people call it: those in `hosts`, and the one of `url`."""
        named = split_address(self.url).hostname or ""
        return (*self.hosts, *((f"[{named}]" if ":" in named else named,) if named else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything one daemon is told."""

    namespace: str
    listen: str
    prometheus: str
    job_namespace: str
    """Where Jobs that measure run; empty: beside their AnalysisRun."""
    controllers: tuple[str, ...]
    instance_id: str
    """The instance whose Rollouts and AnalysisRuns are driven; empty: those that name none."""
    workdir: str
    lease_duration: timedelta
    lease_renewal: timedelta
    webhook_secret_file: str
    policies: str
    """A folder of policies beside those in the cluster; empty without one."""
    sources: tuple[SourceSettings, ...]
    notifiers: tuple[NotifierSettings, ...] = ()
    console: ConsoleSettings | None = None
    """None: it is not served."""
    disabled_steps: frozenset[str] = frozenset()
    """Plug-ins of canary steps that are not called: their steps are passed over."""
    aws: AwsTerms | None = None
    """None: AWS is not asked."""
    journal: JournalSettings | None = None
    """Where is kept what was decided; None: nowhere."""
    link_local: bool = False
    """True where link-local and metadata addresses may be asked over HTTP."""
