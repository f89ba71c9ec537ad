"""What a renderer is: it turns the files of a source into manifests that know their place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from reconciler.git.objects import Snapshot
from reconciler.sources.charts import ChartArchives
from reconciler.sources.documents import Parsed
from reconciler.sources.settings import HelmSettings, JsonnetSettings, SopsSettings, SourceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """What a source says about its files.

    Its name, its folder, the namespace of objects without one, globs of files to leave out, how a chart is rendered and jsonnet evaluated,
    how encrypted files are decrypted, and the Application whose override files count.
    """

    source: str = ""
    path: str = ""
    namespace: str = ""
    exclude: tuple[str, ...] = ()
    helm: HelmSettings = field(default_factory=HelmSettings)
    jsonnet: JsonnetSettings = field(default_factory=JsonnetSettings)
    sops: SopsSettings | None = None
    application: str = ""
    charts: ChartArchives | None = None
    """None where nothing is fetched, as by `lint`."""


def render_options(source: SourceSettings, charts: ChartArchives | None = None) -> RenderOptions:
    """What a source says about its files. Without `charts` nothing is fetched."""
    path = "/".join(part for part in source.path.split("/") if part not in ("", "."))
    return RenderOptions(
        source=source.name,
        path=path,
        namespace=source.namespace,
        exclude=source.exclude,
        helm=source.helm,
        jsonnet=source.jsonnet,
        sops=source.sops,
        application=source.application,
        charts=charts,
    )


class Renderer(Protocol):
    """Turns one snapshot into manifests. What cannot be rendered is a Problem of the result, never an exception.

    The same snapshot gives the same manifests; `previous` is an earlier result whose unchanged parts may be reused.
    """

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed: ...

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Files of the same commit that are needed beside those of the snapshot; asked again until none is.

        A name that ends with a slash is every file below that folder, whatever the files are called; one that ends with `*` and a suffix
        every file below the folder with this suffix.
        """
        ...


@runtime_checkable
class Neighbours(Protocol):
    """What a renderer may also say: what else in a repository is made from the same files."""

    @property
    def markers(self) -> tuple[str, ...]:
        """The names of the files that make a folder one of its own."""
        ...

    def at(self, folder: str) -> Renderer:
        """The same renderer for another folder of the same repository."""
        ...

    def variants(self, snapshot: Snapshot) -> Mapping[str, Renderer]:
        """The other ways in which this folder itself is rendered, as far as its files tell, each by its name."""
        ...

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        ...
