"""What `reconciler.yaml` says of one source (docs/configuration.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from reconciler.git.objects import Committer, TrustedKeys
from reconciler.sources.charts import ChartRegistry
from reconciler.sources.drift import DriftSettings
from reconciler.sources.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What a source may write: namespaces, and kinds as `Kind` or `Kind.group`."""

    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PruneLimit:
    """More removals than this in one pass wait for a person (ADR 0019)."""

    percent: int = 20
    objects: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFile:
    """Who we are at a Git server: a password or an ssh key in a file that is read at each use, so it may rotate."""

    username: str = ""
    password_file: str = ""
    ssh_key_file: str = ""
    known_hosts_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeSettings:
    """Where pull requests of a source live."""

    kind: str
    api: str
    repository: str
    token_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRule:
    """Two conditions on the live object, which is `result`: when it has failed, and when nothing is to be waited for."""

    group: str
    kind: str
    healthy: str
    degraded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmSettings:
    """How a chart is rendered: what a person would say to `helm template`."""

    program: str = "helm"
    """A name on PATH, or the program's path."""
    release: str = ""
    """The name of the source where none is written."""
    namespace: str = ""
    value_files: tuple[str, ...] = ()
    """Relative to the chart, or from the repository's root with a slash in front; later ones win."""
    values: Mapping[str, Any] = field(default_factory=dict)
    assignments: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    """`set`: one value at a dotted path each, over all other values."""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    include_crds: bool = True
    registries: tuple[ChartRegistry, ...] = ()
    """Where dependencies that are not in `charts/` are fetched from; nothing is where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonnetSettings:
    """What jsonnet files are told, and where they find what they import."""

    libraries: tuple[str, ...] = ("vendor",)
    """Folders below the source's path, or from the repository's root with a slash in front; the first that has a file wins."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Texts for `std.extVar`."""
    variable_code: Mapping[str, str] = field(default_factory=dict)
    """Expressions for `std.extVar`."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Texts for the arguments of a file that gives a function."""
    argument_code: Mapping[str, str] = field(default_factory=dict)
    """The same as expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SopsSettings:
    """How files that SOPS has encrypted are decrypted: the program, and the private keys, by file."""

    program: str = "sops"
    """A name on PATH, or the program's path."""
    age_key_file: str = ""
    """Identities of age, as `age-keygen` writes them; read at each use."""
    pgp_key_file: str = ""
    """Private OpenPGP keys without passphrase, as `gpg --export-secret-keys` prints them; read at each use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One followed folder of one branch of one repository."""

    name: str
    repository: str
    branch: str
    path: str
    environment: str
    interval: timedelta
    apply: bool
    companion: bool = False
    """True when somebody else applies what Git holds (Argo CD, Flux), and we judge, restore and tell beside it."""
    allow: Allow
    service_account: str = ""
    """`namespace/name` of the ServiceAccount in whose name it is read and written; the daemon's own where none is named."""
    namespace: str = ""
    """Of objects that name none."""
    exclude: tuple[str, ...] = ()
    """Globs of files that are left out."""
    renderer: str = ""
    """What turns the files into manifests; found by the files themselves where none is named."""
    helm: HelmSettings = field(default_factory=HelmSettings)
    jsonnet: JsonnetSettings = field(default_factory=JsonnetSettings)
    sops: SopsSettings | None = None
    """None: encrypted files are refused."""
    application: str = ""
    """The Application of Argo CD whose override files lie in the folder."""
    prune: bool = True
    prune_limit: PruneLimit = PruneLimit()
    windows: tuple[Window, ...] = ()
    """When it may be written, the freezes of its environment first; at any time where none is named."""
    drift: DriftSettings = field(default_factory=DriftSettings)
    """What becomes of fields that others change."""
    health: tuple[HealthRule, ...] = ()
    """When objects of some kinds are healthy; they come before what is known of a kind here."""
    hooks: bool = True
    """False where hooks of Git are left out."""
    ledger: bool = False
    """True where what was proven is written into Git notes."""
    wave_deadline: timedelta = timedelta(minutes=10)
    """How long a sync wave may be on its way before people are told what it waits for."""
    credentials: CredentialFile | None = None
    write_credentials: CredentialFile | None = None
    """For pushes alone; those above where none are named."""
    trusted_keys: TrustedKeys = field(default_factory=TrustedKeys)
    """Whose commits are taken; anybody's where none are named."""
    forge: ForgeSettings | None = None
    committer: Committer = field(default_factory=Committer)


def purpose(source: SourceSettings, *, read_only: bool) -> str:
    """What is done with a source, in words for the log's first lines."""
    if read_only:
        return "reports what would be done; nothing is written anywhere, and no release is judged"
    if source.companion:
        return "another tool applies it: releases are judged, Git is restored, people are told; no template is ever changed"
    if source.apply:
        return "applies it, judges releases, restores Git and tells people"
    return "reports what would be applied, and judges nothing: set apply: true, or companion: true where another tool applies"
