"""Charts of OCI registries: what is had with a token, kept, and refused, from a registry that may answer anything."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.renderers.chart_archives import LARGEST_ARCHIVE, HttpCharts, KeptCharts
from reconciler.renderers.chart_oci import CONFIG, LARGEST_MANIFEST, LAYER, api_address, challenge_of, over_http, own_realm
from reconciler.sources.charts import ChartRegistry, ChartWish
from reconciler.web.client import open_client
from tests.kit.chartrepository import PART, Answer, archive, chart_repository, index
from tests.kit.desk import SettableClock
from tests.kit.ociregistry import MANIFEST, PASSWORD, TAGGED, TOKEN, USER, WitnessRegistry, basic, blob, manifest, oci_registry

GOOD = archive({**PART, "Chart.yaml": f"apiVersion: v2\nname: part\nversion: {TAGGED}\n"})


@pytest.fixture
async def registry() -> AsyncIterator[WitnessRegistry]:
    async with oci_registry(GOOD) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def wish(registry: WitnessRegistry) -> ChartWish:
    return ChartWish(f"{registry.oci}/charts", "part", TAGGED)


def allowed(registry: WitnessRegistry, folder: Path, password: str = PASSWORD) -> ChartRegistry:
    """The registry with its password in a file."""
    (folder / "password").write_text(f"{password}\n")
    return ChartRegistry(url=f"{registry.oci}/charts", username=USER, password_file=str(folder / "password"))


async def why(http: httpx.AsyncClient, folder: Path, one: ChartWish, *registries: ChartRegistry) -> str:
    """Why a chart is not had, which never holds what is secret."""
    found = await HttpCharts(http, SettableClock(), KeptCharts(folder / "charts")).fetched([one], registries)
    assert not found.archives and not (folder / "charts").exists(), "what was refused is not kept"
    said = found.refused[one]
    assert not [secret for secret in (PASSWORD, TOKEN, basic(), "sig=") if secret in said]
    return said


async def test_a_chart_of_a_registry_is_had_with_a_token_for_reading_it_alone_and_kept_for_when_the_registry_is_away(
    registry: WitnessRegistry, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    terms, wanted = (allowed(registry, tmp_path),), wish(registry)
    found = await HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts")).fetched([wanted], terms)
    assert found.archives == {wanted: GOOD}, found.refused
    asked = [f"refused {MANIFEST}", "/token", MANIFEST, f"refused {blob(GOOD)}", "/token", blob(GOOD)]
    assert registry.asked == asked
    assert registry.scopes == [{"scope": "repository:charts/part:pull", "service": "charts, ours"}] * 2, "and not what it asked for"
    again = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts"))
    assert (await again.fetched([wanted], terms)).archives == {wanted: GOOD} and registry.asked == asked


async def test_a_registry_may_ask_for_the_password_itself_or_for_nothing(
    registry: WitnessRegistry, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    registry.challenge, registry.credential = 'Basic realm="charts"', basic()
    assert "answered 401; check `username`" in await why(http, tmp_path, wish(registry), ChartRegistry(url=registry.oci))
    for folder, challenge in (("asked", registry.challenge), ("open", "")):
        registry.challenge = challenge
        charts = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / folder))
        assert (await charts.fetched([wish(registry)], (allowed(registry, tmp_path),))).archives == {wish(registry): GOOD}
    assert "Authorization" not in registry.headers[MANIFEST], "who asks for nothing is shown nothing"


async def test_a_password_goes_to_no_token_service_and_to_no_store_of_archives_that_is_not_listed_with_it(
    registry: WitnessRegistry, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    mine = allowed(registry, tmp_path)
    async with oci_registry(GOOD) as other, chart_repository() as store:
        registry.challenge = f'Bearer realm="{other.url}/token?sig=1"'
        assert "answered 401" in await why(http, tmp_path, wish(registry), mine)
        registry.challenge = f'Bearer realm="{other.url}/token"'
        said = await why(http, tmp_path, wish(registry), mine)
        assert said == f"its registry sends to {other.url} for a token, which is in none of `registries`"
        listed = ChartRegistry(url=f"{other.url}/token")
        assert f"{other.url}/token: answered 401" in await why(http, tmp_path, wish(registry), mine, listed)
        assert "Authorization" not in other.headers["/token"]
        listed = ChartRegistry(url=f"{other.url}/token", username=USER, password_file=mine.password_file)
        registry.answers[blob(GOOD)] = (307, {"Location": f"{store.url}/blobs/1?sig=abc"})
        store.answers["/blobs/1"] = GOOD
        assert f"leads to {store.url}, which is in none of" in await why(http, tmp_path, wish(registry), mine, listed)
        assert not store.asked
        charts = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts"))
        found = await charts.fetched([wish(registry)], (mine, listed, ChartRegistry(url=store.url)))
        assert found.archives == {wish(registry): GOOD} and "Authorization" not in store.headers["/blobs/1"]


LAYERS = json.loads(manifest(GOOD))["layers"]
MANIFESTS: dict[str, tuple[Callable[[WitnessRegistry], Answer], str]] = {
    "none": (lambda _: (404, {}), f"{MANIFEST}: answered 404"),
    "endless": (lambda _: None, f"the answer is larger than {LARGEST_MANIFEST} bytes"),
    "leads out": (lambda _: (302, {"Location": "/v2/others/part/manifests/1"}), "which is in none of `registries`"),
    "no JSON": (lambda _: b"{", "is no Helm chart"),
    "deep": (lambda _: b"[" * 500_000, "is no Helm chart"),
    "an image": (lambda _: manifest(GOOD, config={"mediaType": "application/vnd.oci.image.config.v1+json"}), "is no Helm chart"),
    "an index": (lambda _: b'{"manifests": [{}]}', "is no Helm chart"),
    "no layer": (lambda _: manifest(GOOD, layers=[{"mediaType": CONFIG}, 3]), "names 0 archives of a chart"),
    "two layers": (lambda _: manifest(GOOD, layers=LAYERS * 2), "names 2 archives of a chart"),
    "layers of no list": (lambda _: manifest(GOOD, layers=7), "names 0 archives of a chart"),
    "another hash": (lambda _: manifest(GOOD, layers=[{**LAYERS[0], "digest": "md5:00"}]), "does not say the SHA-256"),
    "a way out": (lambda _: manifest(GOOD, layers=[{**LAYERS[0], "digest": "sha256:../../x"}]), "does not say the SHA-256"),
    "no size": (lambda _: manifest(GOOD, layers=[{"mediaType": LAYER, "digest": LAYERS[0]["digest"]}]), "and the size"),
    "large": (lambda _: manifest(GOOD, layers=[{**LAYERS[0], "size": LARGEST_ARCHIVE + 1}]), "has 20971521 bytes, and at most"),
}


async def test_a_manifest_may_say_anything(registry: WitnessRegistry, http: httpx.AsyncClient, tmp_path: Path) -> None:
    registry.challenge = ""
    for case, (change, words) in MANIFESTS.items():
        registry.answers[MANIFEST] = change(registry)
        assert words in await why(http, tmp_path, wish(registry), ChartRegistry(url=f"{registry.oci}/charts")), case
    assert not [path for path in registry.asked if "blobs" in path]


async def test_an_archive_that_is_not_what_the_manifest_says_is_refused(
    registry: WitnessRegistry, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    terms, endless = ChartRegistry(url=registry.oci), f"larger than {LARGEST_ARCHIVE} bytes"
    registry.challenge = ""
    for content, words in ((GOOD[:-1] + b"x", "another digest"), (None, endless), (b"", "another digest")):
        registry.answers[blob(GOOD)] = content
        assert words in await why(http, tmp_path, wish(registry), terms)
    other = archive(PART)
    registry.answers |= {MANIFEST: manifest(other), blob(other): other}
    assert "another chart or another version" in await why(http, tmp_path, wish(registry), terms)
    assert "none of `registries`" in await why(http, tmp_path, wish(registry), ChartRegistry(url=f"{registry.oci}/chart"))
    assert "none of `registries`" in await why(http, tmp_path, wish(registry), ChartRegistry(url=registry.url))


async def test_a_wrong_password_and_a_token_service_that_says_nothing(http: httpx.AsyncClient, tmp_path: Path) -> None:
    async with oci_registry(GOOD) as registry:
        assert f"{registry.url}/token: answered 401" in await why(http, tmp_path, wish(registry), allowed(registry, tmp_path, "wrong"))
        registry.credential = "Bearer another"
        assert f"{MANIFEST}: answered 401" in await why(http, tmp_path, wish(registry), allowed(registry, tmp_path))
        registry.challenge = f'Bearer realm="{registry.url}/stoken"'
        for answer in (b"{}", b'{"token": "a\\nb"}', b'{"token": 3}', b"["):
            registry.answers["/stoken"] = answer
            assert "answered without a token" in await why(http, tmp_path, wish(registry), allowed(registry, tmp_path))


async def test_an_index_that_leads_to_a_registry_says_what_to_write(http: httpx.AsyncClient, tmp_path: Path) -> None:
    async with chart_repository(part=GOOD) as repository:
        repository.answers["/stable/index.yaml"] = index({"part": GOOD}, "oci://registry.example.com/charts/part:1.2.3")
        one = ChartWish(f"{repository.url}/stable", "part", "1.2.3")
        said = await why(http, tmp_path, one, ChartRegistry(url=one.repository))
        assert said == "its repository's index.yaml leads to an OCI registry: write that address as the dependency's `repository`"


def test_registries_are_asked_over_tls_but_for_this_machine_and_have_tokens_of_their_own_host() -> None:
    ours = over_http(ChartRegistry(url="oci://H/charts"))
    assert [own_realm(f"{at}/token", ours) for at in ("https://h", "https://h:443", "http://h", "https://h:444", "https://h.x")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert api_address("oci://ghcr.io/org/charts/") == "https://ghcr.io/v2/org/charts"
    assert api_address("oci://localhost:5000") == "http://localhost:5000/v2"


@pytest.mark.parametrize(
    ("header", "realm"),
    [
        ('Bearer realm="https://h/token",service="s"', "https://h/token"),
        ('Basic realm="x", bearer service="s", realm="https://h/token"', "https://h/token"),
        ('Bearer realm="https://h/token", realm="https://evil/token"', "https://h/token"),
        ('Basic realm="x"', ""),
        ("Negotiate", None),
        ("", None),
        ('Bearer realm="https://me:pw@h/token"', None),
        ('Bearer realm="oci://h/token"', None),
        ('Bearer realm="file:///etc/passwd"', None),
        (f'Bearer realm="https://h/token",service="{"s" * 2000}"', None),
    ],
)
def test_what_a_registry_asks_for(header: str, realm: str | None) -> None:
    found: Any = challenge_of(header)
    assert (found.realm if found is not None else None) == realm
