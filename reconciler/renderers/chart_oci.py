"""What an OCI registry says of a chart: its challenge, its token, its manifest. All of it may be hostile. Pure.

The API is that of the OCI distribution specification (v1.1), the media types are Helm's (helm.sh/docs/topics/registries); tokens are asked
for as distribution.github.io/distribution/spec/auth/token says.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.git.environment import is_loopback
from reconciler.renderers.chart_index import IndexEntry, NotUsable
from reconciler.sources.charts import OCI, ChartRegistry, ChartWish, below, usable

MANIFESTS = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
LARGEST_MANIFEST = 4 << 20
LARGEST_TOKEN_ANSWER = 1 << 20
LONGEST_SERVICE = 1000
BEARER = re.compile(r"(?:^|,)\s*bearer\s+(.*)", re.IGNORECASE | re.DOTALL)
BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
PARAMETER = re.compile(r'(\w+)="([^"\\]*)"')
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
TOKEN = re.compile(r"[!-~]{1,16384}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OciRegistry(ChartRegistry):
    """A registry by the address of its HTTP API: it is shown a password, or a token for one, when it asks."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Where a token is had, and for which service; `realm` is empty where the password itself is asked for."""

    realm: str
    service: str = ""


def over_http(registry: ChartRegistry) -> ChartRegistry:
    """The registry by the address that is asked; one of archives over HTTP is as it was."""
    if not registry.url.startswith(OCI):
        return registry
    return OciRegistry(url=api_address(registry.url), username=registry.username, password_file=registry.password_file)


def api_address(address: str) -> str:
    """Where the API has what is below an `oci://` address: over TLS, but for this machine."""
    host, _, path = address.removeprefix(OCI).rstrip("/").partition("/")
    scheme = "http" if is_loopback(host.partition(":")[0]) else "https"
    return f"{scheme}://{host}/v2/{path}".rstrip("/")


def manifest_address(wish: ChartWish) -> str:
    """Where the manifest of a version is: a tag has no plus sign, and Helm writes an underscore for it."""
    return f"{api_address(wish.repository)}/{wish.name}/manifests/{wish.version.replace('+', '_')}"


def layer_of(wish: ChartWish, manifest: bytes, largest: int) -> IndexEntry:
    """The archive that a manifest names, and its digest. Raises NotUsable."""
    found = _mapping(_loaded(manifest))
    if _mapping(found.get("config")).get("mediaType") != CONFIG:
        raise NotUsable("what the registry has under this name is no Helm chart")
    layers = found.get("layers")
    charts = [layer for layer in map(_mapping, layers if isinstance(layers, list) else ()) if layer.get("mediaType") == LAYER]
    if len(charts) != 1:
        raise NotUsable(f"its manifest names {len(charts)} archives of a chart, and one is expected")
    digest, size = DIGEST.fullmatch(str(charts[0].get("digest"))), charts[0].get("size")
    if digest is None or not isinstance(size, int):
        raise NotUsable("its manifest does not say the SHA-256 and the size of its archive")
    if size > largest:
        raise NotUsable(f"its archive has {size} bytes, and at most {largest} are fetched")
    return IndexEntry(f"{api_address(wish.repository)}/{wish.name}/blobs/{digest[0]}", digest[1])


def challenge_of(header: str) -> Challenge | None:
    """What a registry wants to see; None where it does not say, or says what is not understood."""
    bearer = BEARER.search(header)
    if bearer is None:
        return Challenge("") if BASIC.search(header) else None
    said: dict[str, str] = {}
    for name, value in PARAMETER.findall(bearer[1]):
        said.setdefault(name.lower(), value)
    realm, service = said.get("realm", ""), said.get("service", "")
    if not usable(realm) or realm.startswith(OCI) or len(service) > LONGEST_SERVICE or not service.isprintable():
        return None
    return Challenge(realm, service)


def scope_of(address: str) -> str:
    """The right that an address needs, and none that a registry may ask for beyond it."""
    name = re.split(r"/(?:manifests|blobs)/", address.partition("/v2/")[2])[0]
    return f"repository:{name}:pull"


def token_of(body: bytes) -> str:
    """The token of an answer. Raises NotUsable, without a word of it."""
    found = _mapping(_loaded(body))
    token = found.get("token") or found.get("access_token")
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise NotUsable("its registry's token service answered without a token")
    return token


def own_realm(realm: str, registry: ChartRegistry) -> bool:
    """True for a token service of the registry's own scheme, host and port."""
    return below(realm, [ChartRegistry(url="/".join(registry.url.split("/")[:3]))]) is not None


def _loaded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
