"""Charts that a chart depends on and that stand elsewhere: which one is wanted, where from, and the protocol of what fetches it. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

OCI = "oci://"
ADDRESS = re.compile(r"(https?|oci)://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/(sha256:)?([A-Za-z0-9._~+-]|%2[Bb])+)*/?")
"""Of a repository of charts: nothing is escaped but a plus sign, and there are no credentials, query or fragment."""
STEPS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRegistry:
    """Where dependencies of a chart may be fetched from: an address and all below it. The password is in a file, read at each use."""

    url: str
    username: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class ChartWish:
    """One version of a chart of a repository, as a `Chart.lock` pins it."""

    repository: str
    name: str
    version: str

    @property
    def file(self) -> str:
        """What its archive is called."""
        return f"{self.name}-{self.version}.tgz"


@dataclass(frozen=True, slots=True)
class FetchedCharts:
    """The archives that were had, and for each of the others why not, in words for people."""

    archives: Mapping[ChartWish, bytes] = field(default_factory=dict)
    refused: Mapping[ChartWish, str] = field(default_factory=dict)


class ChartArchives(Protocol):
    """Gets archives of charts, each checked: it holds the chart that was wanted, and nothing that leads out of it."""

    async def fetched(self, wishes: Sequence[ChartWish], registries: Sequence[ChartRegistry]) -> FetchedCharts: ...


def below(address: str, registries: Iterable[ChartRegistry]) -> ChartRegistry | None:
    """The first registry that an address is in: scheme, host and port are the same, and the path begins with the same whole names."""
    return next((one for one in registries if _is_below(address, one.url)), None)


def usable(address: str) -> bool:
    """True for an address that says one place only, however it is read."""
    return ADDRESS.fullmatch(address) is not None and STEPS.isdisjoint(address.split("/"))


def archive_address(repository: str, named: str) -> str:
    """Where an archive is that an index names, absolute or from its own folder on; empty where it cannot be said plainly."""
    if named.startswith("/"):
        absolute = "/".join(repository.split("/")[:3]) + named
    else:
        absolute = named if "://" in named else f"{repository.rstrip('/')}/{named}"
    return absolute if named and usable(absolute) and not absolute.startswith(OCI) else ""


def _is_below(address: str, prefix: str) -> bool:
    inside = usable(address) and usable(prefix)
    return inside and f"{_normal(address)}/".startswith(f"{_normal(prefix)}/")


def _normal(address: str) -> str:
    """Hosts have no capitals, and the usual port need not be written."""
    scheme, _, rest = address.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    usual = {"http": ":80", "https": ":443"}.get(scheme, "")
    return f"{scheme}://{host.lower().removesuffix(usual)}{slash}{path}"
