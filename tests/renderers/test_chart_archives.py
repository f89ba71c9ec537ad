"""Charts over HTTP: what is had, kept, and refused, from a repository that may answer anything."""

import asyncio
import os
import tarfile
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from reconciler.renderers.chart_archives import LARGEST_ARCHIVE, LARGEST_INDEX, HttpCharts, KeptCharts
from reconciler.renderers.chart_index import MOST_MEMBERS
from reconciler.sources.charts import ChartRegistry, ChartWish
from reconciler.web.client import open_client
from tests.kit.chartrepository import PART, Answer, ChartRepository, archive, chart_repository, index
from tests.kit.desk import SettableClock

GOOD = archive(PART)
MANY = archive({**PART, **{f"templates/{number}": "" for number in range(MOST_MEMBERS)}})
BOMB = archive({**PART, "big": b"\0" * (65 << 20)})


@pytest.fixture
async def repository() -> AsyncIterator[ChartRepository]:
    async with chart_repository(part=GOOD) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def wish(repository: ChartRepository, name: str = "part", folder: str = "/stable") -> ChartWish:
    return ChartWish(f"{repository.url}{folder}", name, "1.2.3")


async def why(charts: HttpCharts, one: ChartWish, *registries: ChartRegistry) -> str:
    """Why a chart is not had."""
    found = await charts.fetched([one], registries or (ChartRegistry(url=one.repository),))
    assert not found.archives
    return found.refused[one]


async def test_a_chart_is_fetched_once_and_had_by_the_next_daemon_while_its_repository_is_away(
    repository: ChartRepository, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    charts, wanted = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts")), wish(repository)
    terms = (ChartRegistry(url=repository.url),)
    found = await asyncio.gather(charts.fetched([wanted, wanted], terms), charts.fetched([wanted], terms))
    assert [one.archives for one in found] == [{wanted: GOOD}] * 2
    assert repository.asked == ["/stable/index.yaml", "/stable/part-1.2.3.tgz"]
    repository.answers.clear()
    again = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts"))
    assert (await again.fetched([wanted], terms)).archives == {wanted: GOOD} and len(repository.asked) == 2


Change = Callable[[ChartRepository], Answer]
INDEXES: dict[str, tuple[Change, str]] = {
    "none": (lambda _: (404, {}), "/stable/index.yaml: answered 404"),
    "failing": (lambda _: (500, {}), "/stable/index.yaml: answered 500"),
    "closed": (lambda _: (401, {}), "/stable/index.yaml: answered 401; check `username` and `passwordFile` of the registry"),
    "elsewhere": (
        lambda _: (302, {"Location": "http://localhost:9/"}),
        "its repository leads to http://localhost:9, which is in none of `registries`",
    ),
    "out of the registry": (lambda _: (302, {"Location": "/login"}), "which is in none of `registries`"),
    "in a circle": (lambda _: (302, {"Location": "index.yaml?again"}), "/stable/index.yaml: answered 302"),
    "to no address": (lambda _: (302, {"Location": "http://[::bad"}), "no answer: RemoteProtocolError"),
    "to a name": (lambda _: (302, {"Location": "http://me:secret@127.0.0.1/x"}), "leads to http://*****@127.0.0.1, which is in none of"),
    "endless": (lambda _: None, f"the answer is larger than {LARGEST_INDEX} bytes"),
    "no YAML": (lambda _: b"entries: [\n", "its index.yaml is no YAML"),
    "no text": (lambda _: b"\xff\xfe\xfd", "its index.yaml is no YAML"),
    "deep": (lambda _: b"[" * 500_000, "its index.yaml is no YAML"),
    "other shape": (lambda _: b"- entries\n- {? [part] : {entries: {part: 1}}}\n", "has no such version"),
    "a list": (lambda _: b"entries: [[[{version: 1.2.3, urls: [x.tgz]}]]]", "has no such version"),
    "other version": (lambda _: index({"part": GOOD}).replace(b" 1.2.3", b" 1.2.4"), "its repository's index.yaml has no such version"),
    "an alias": (lambda _: b"a: &a [*a]\nentries: {part: [{version: 1.2.3, urls: *a}]}\n", "leads to "),
    "leads away": (lambda _: index({"part": GOOD}, "https://else.invalid/x.tgz"), "leads to https://else.invalid, which is in none of"),
    "leads beside": (lambda r: index({"part": GOOD}, f"{r.url}/stable-not/x.tgz"), "which is in none of `registries`"),
    "leads up": (lambda _: index({"part": GOOD}, "../secret/x.tgz"), "leads to no address that can be used"),
    "leads to a name": (lambda _: index({"part": GOOD}, "http://me:secret@127.0.0.1/x"), "leads to no address that can be used"),
    "wrong digest": (lambda _: index({"part": GOOD}, digest="0" * 64), "its archive has another digest than the index says"),
}


async def test_an_index_may_answer_anything(repository: ChartRepository, http: httpx.AsyncClient, tmp_path: Path) -> None:
    for case, (change, words) in INDEXES.items():
        repository.answers["/stable/index.yaml"] = change(repository)
        said = await why(HttpCharts(http, SettableClock(), KeptCharts(tmp_path)), wish(repository))
        assert words in said and "secret" not in said, case


def link(kind: bytes) -> tarfile.TarInfo:
    found = tarfile.TarInfo()
    found.type, found.linkname = kind, "/etc/passwd"
    return found


ARCHIVES: dict[str, tuple[Answer, str]] = {
    "none": ((404, {}), "/stable/part-1.2.3.tgz: answered 404"),
    "elsewhere": (
        (302, {"Location": "http://localhost:9/"}),
        "its repository leads to http://localhost:9, which is in none of `registries`",
    ),
    "endless": (None, f"the answer is larger than {LARGEST_ARCHIVE} bytes"),
    "no archive": (b"<html>", "its archive is no .tgz that can be read"),
    "cut": (GOOD[:-20], "its archive is no .tgz that can be read"),
    "a bomb": (BOMB, "its archive holds more than 64 MiB"),
    "too many files": (MANY, f"its archive holds more than {MOST_MEMBERS} files"),
    "a name that leads out": (archive({**PART, "../../evil": "x"}), "holds a name that leads out of it"),
    "an absolute name": (archive({"/etc/evil": "x"}, ""), "holds a name that leads out of it"),
    "a name of Windows": (archive({"C:\\evil": "x"}, ""), "holds a name that leads out of it"),
    "a link": (archive({**PART, "templates/a": link(tarfile.SYMTYPE)}), "holds a link or a device"),
    "a hard link": (archive({**PART, "templates/a": link(tarfile.LNKTYPE)}), "holds a link or a device"),
    "a device": (archive({**PART, "templates/a": link(tarfile.CHRTYPE)}), "holds a link or a device"),
    "files beside": (archive({"part/Chart.yaml": PART["Chart.yaml"], "other/Chart.yaml": "x"}, ""), "files beside the folder part"),
    "no chart": (archive({"values.yaml": "{}"}), "has no part/Chart.yaml"),
    "no YAML": (archive({"Chart.yaml": "a: ["}), "the Chart.yaml in its archive: not YAML"),
    "another chart": (archive({"Chart.yaml": "name: other\nversion: 1.2.3\n"}), "holds another chart or another version"),
    "another version": (archive({"Chart.yaml": "name: part\nversion: 1.2.4\n"}), "holds another chart or another version"),
}


async def test_an_archive_may_hold_anything(repository: ChartRepository, http: httpx.AsyncClient, tmp_path: Path) -> None:
    repository.answers["/stable/index.yaml"] = index({"part": GOOD}, digest='""')
    for case, (answer, words) in ARCHIVES.items():
        repository.answers["/stable/part-1.2.3.tgz"] = answer
        assert words in await why(HttpCharts(http, SettableClock(), KeptCharts(tmp_path)), wish(repository)), case
    assert not os.listdir(tmp_path), "what was refused is not kept"


async def test_what_failed_is_asked_for_again_after_longer_and_longer_pauses(
    repository: ChartRepository, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    clock = SettableClock()
    charts, bad = HttpCharts(http, clock, KeptCharts(tmp_path)), wish(repository, folder="/away")
    asked = []
    for seconds in (0, 29, 2, 31, 31, 9_999, 9_999, 9_999, 899, 2):
        clock.time += timedelta(seconds=seconds)
        assert "answered 404" in await why(charts, bad)
        asked.append(len(repository.asked))
    assert asked == [1, 1, 2, 2, 3, 4, 5, 6, 6, 7]
    assert (await charts.fetched([wish(repository)], (ChartRegistry(url=repository.url),))).archives, "another repository is not held up"
    repository.answers |= {"/away/index.yaml": index({"part": GOOD}), "/away/part-1.2.3.tgz": GOOD}
    clock.time += timedelta(seconds=901)
    assert (await charts.fetched([bad], (ChartRegistry(url=repository.url),))).archives == {bad: GOOD}


async def test_one_chart_that_is_not_there_costs_only_itself(repository: ChartRepository, http: httpx.AsyncClient, tmp_path: Path) -> None:
    charts, other = HttpCharts(http, SettableClock(), KeptCharts(tmp_path)), wish(repository, "other")
    found = await charts.fetched([other, wish(repository)], (ChartRegistry(url=repository.url),))
    assert set(found.archives) == {wish(repository)} and set(found.refused) == {other}


async def test_a_password_goes_to_its_own_registry_alone_and_what_it_opened_is_for_no_other(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with chart_repository(part=GOOD) as first, chart_repository() as second:
        first.answers["/stable/index.yaml"] = index({"part": GOOD}, f"{second.url}/files/part.tgz")
        second.answers["/files/part.tgz"] = GOOD
        secret = tmp_path / "password"
        secret.write_text("s3cr3t\n")
        with_password = ChartRegistry(url=first.url, username="me", password_file=str(secret))
        charts = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts"))
        found = await charts.fetched([wish(first)], (with_password, ChartRegistry(url=second.url)))
        assert found.archives == {wish(first): GOOD}
        assert first.headers["/stable/index.yaml"]["Authorization"] == "Basic bWU6czNjcjN0"
        assert "Authorization" not in second.headers["/files/part.tgz"]
        first.answers["/stable/index.yaml"] = (401, {})
        assert "answered 401" in await why(charts, wish(first), ChartRegistry(url=first.url))
        assert "answered 401" in await why(charts, wish(first), ChartRegistry(url=first.url), ChartRegistry(url=second.url))
        absent = ChartRegistry(url=first.url, username="me", password_file=str(tmp_path / "none"))
        assert "none cannot be read: it does not exist" in await why(charts, wish(first), absent)


async def test_a_redirect_is_followed_into_another_registry_of_the_source_without_the_password(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with chart_repository(part=GOOD) as first, chart_repository() as second:
        first.answers["/stable/part-1.2.3.tgz"] = (302, {"Location": f"{second.url}/files/1?sig=a%2Fb"})
        second.answers["/files/1"] = GOOD
        (tmp_path / "password").write_text("s3cr3t")
        mine = ChartRegistry(url=first.url, username="me", password_file=str(tmp_path / "password"))
        charts = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts"))
        refused = await why(charts, wish(first), mine)
        assert f"leads to {second.url}, which is in none of" in refused and "sig" not in refused and not second.asked
        found = await charts.fetched([wish(first)], (mine, ChartRegistry(url=f"{second.url}/files")))
        assert found.archives == {wish(first): GOOD} and "Authorization" not in second.headers["/files/1"]


async def test_addresses_that_lend_rights_are_not_asked(http: httpx.AsyncClient, tmp_path: Path) -> None:
    one = ChartWish("http://169.254.169.254/latest", "part", "1.2.3")
    assert "a link-local or metadata address is not asked" in await why(HttpCharts(http, SettableClock(), KeptCharts(tmp_path)), one)


async def test_a_registry_that_does_not_answer_is_waited_for_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def silent(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ReadTimeout("", request=request)

    clock, registries = SettableClock(), (ChartRegistry(url="https://h"),)
    wishes = [ChartWish(f"https://h/{folder}", "part", "1.2.3") for folder in "abc"]
    async with httpx.AsyncClient(transport=httpx.MockTransport(silent)) as http:
        charts = HttpCharts(http, clock, KeptCharts(tmp_path))
        found = await charts.fetched(wishes, registries)
        assert set(found.refused.values()) == {"https://h/a/index.yaml: no answer: ReadTimeout"} and asked == ["/a/index.yaml"]
        assert await charts.fetched(wishes, registries) == found and len(asked) == 1
        clock.time += timedelta(seconds=31)
        await charts.fetched(wishes, registries)
        assert len(asked) == 2


async def test_a_repository_that_nobody_listens_at_and_one_that_is_not_allowed(http: httpx.AsyncClient, tmp_path: Path) -> None:
    one = ChartWish("http://127.0.0.1:9/stable", "part", "1.2.3")
    charts = HttpCharts(http, SettableClock(), KeptCharts(tmp_path))
    assert "nobody listens there" in await why(charts, one)
    assert "none of `registries`" in await why(charts, one, ChartRegistry(url="http://127.0.0.1:9/stab"))


def test_an_archive_that_was_half_written_is_not_there_and_the_oldest_make_room(tmp_path: Path) -> None:
    kept = KeptCharts(tmp_path / "charts", largest=250)
    for age, key in enumerate(("a", "b")):
        kept.write(key, b"x" * 68)
        os.utime(tmp_path / "charts" / key, (age, age))
    assert kept.read("a") == b"x" * 68, "and is now the one that was used last"
    kept.write("c", b"x" * 68)
    assert [key for key in "abc" if kept.read(key)] == ["a", "c"]
    (tmp_path / "charts" / "c").write_bytes(b"x" * 50)
    assert kept.read("c") is None
    kept.write("huge", b"x" * 1000)
    assert kept.read("huge") == b"x" * 1000 and len(list((tmp_path / "charts").iterdir())) == 1


async def test_a_folder_that_cannot_be_written_is_one_problem(repository: ChartRepository, http: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "charts").write_text("a file")
    said = await why(HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts")), wish(repository))
    assert said.startswith("its archive cannot be kept in the workdir: ")
