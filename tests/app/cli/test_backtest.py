"""Templates are replayed over past releases: from a file and from Release objects, against PromQL over an hour of samples."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import ANALYSIS_TEMPLATES
from reconciler.kube.client import Client
from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from tests.kit.analysis import NOW
from tests.kit.clusters import NAMESPACE
from tests.kit.history import counting, falling, past, steady
from tests.kit.providers import keep as keep_secret
from tests.kit.releases import release
from tests.kit.repositories import git
from tests.kit.schemas import violations
from tests.kit.shell import Shell, nowhere
from tests.kit.stocked import store

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schemas" / "backtest.json"
SERIES = {
    'ok{hash="good"}': steady(0.99),
    'ok{hash="bad"}': falling(0.99, 0.5, 600),
    'ok{hash="subtle"}': steady(0.96),
    'ok{hash="noisy"}': falling(0.99, 0.9, 900),
    'hits{hash="bad"}': counting(2.0),
    'hits{hash="good"}': counting(4.0),
}
ALWAYS = ("--since", "36500d")


@pytest.fixture
def server(sh: Shell) -> Iterator[str]:
    context = past(SERIES)
    yield sh.ask(lambda _: context.__aenter__())
    sh.ask(lambda _: context.__aexit__(None, None, None))


def template(url: str, **fields: Any) -> Manifest:
    prometheus = {"prometheus": {"address": url, "query": 'ok{hash="{{args.hash}}"}'}}
    metric = {"name": "ok", "interval": "1m", "failureLimit": 1, "successCondition": "result[0] >= 0.95", "provider": prometheus}
    metadata = {"name": "rate", "namespace": NAMESPACE}
    spec = {"args": [{"name": "hash"}], "metrics": [{**metric, **fields}]}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": metadata, "spec": spec}


def window(name: str, outcome: str, **fields: Any) -> Manifest:
    return {"name": name, "start": render_moment(NOW), "for": "30m", "outcome": outcome, "args": {"hash": name}, **fields}


def files(folder: Path, manifest: Manifest, *windows: Manifest) -> list[str]:
    (folder / "t.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "r.yaml").write_text(yaml.safe_dump(list(windows)))
    return ["backtest", "-f", str(folder / "t.yaml"), "--releases", str(folder / "r.yaml"), *ALWAYS]


ALL = (window("good", "good"), window("bad", "bad"), window("subtle", "bad"), window("noisy", "good"), window("gone", "good"))


def test_each_release_is_told_in_hindsight(sh: Shell, server: str, tmp_path: Path) -> None:
    ended = sh(*files(tmp_path, template(server), *ALL), "-o", "json")
    assert ended.code == 1 and violations(ended.json, json.loads(SCHEMA.read_text())) == []
    told = {row["release"]: (row["said"], row["hindsight"], row["secondsToDetect"]) for row in ended.json["releases"]}
    assert told == {
        "good": ("passed", "right", None),
        "bad": ("failed", "caught", 660.0),  # the second measurement below the limit, a minute after the first
        "subtle": ("passed", "missed", None),
        "noisy": ("failed", "false alarm", 960.0),
        "gone": ("error", "no answer", None),
    }
    sums = {name: ended.json[name] for name in ("bad", "caught", "missed", "good", "falseAlarms", "noAnswer", "medianSecondsToDetect")}
    assert list(sums.values()) == [2, 1, 1, 3, 1, 1, 660.0]


def test_the_same_is_said_twice_and_without_a_cluster(sh: Shell, server: str, tmp_path: Path) -> None:
    command = [*files(tmp_path, template(server), *ALL), "--kubeconfig", str(nowhere(tmp_path))]
    page = tmp_path / "page.html"
    first = sh(*command, "--html", str(page), cluster=False)
    kept = page.read_text()
    again = sh(*command, "--html", str(page), cluster=False)
    assert (first.code, first.output) == (again.code, again.output) and kept == page.read_text()
    assert "1 of 2 bad releases caught, after 11m at the median; 1 of 3 good ones failed; no answer about 1" in first.output
    assert 'gone: Metric "ok" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4)' in first.output
    assert "<script" not in kept and kept.count("<svg") == 5 and "http" not in kept.replace("http-equiv", "")


def test_a_template_that_tells_all_releases_right_is_0(sh: Shell, server: str, tmp_path: Path) -> None:
    ended = sh(*files(tmp_path, template(server), window("good", "good"), window("bad", "bad"), window("noisy", "unknown")))
    assert ended.code == 0 and "1 of 1 bad releases caught" in ended.output


def test_requests_are_counted_until_the_template_had_failed(sh: Shell, server: str, tmp_path: Path) -> None:
    command = files(tmp_path, template(server), window("good", "good"), window("bad", "bad"))
    ended = sh(*command, "--volume", 'rate(hits{hash="{{args.hash}}"}[1m])', "-o", "json")
    exposed = {row["release"]: row["requestsExposed"] for row in ended.json["releases"]}
    assert exposed["bad"] == pytest.approx(2.0 * 660, rel=0.1)
    assert exposed["good"] == pytest.approx(4.0 * 1800, rel=0.1)
    soon = template(server, count=2)
    early = sh(*files(tmp_path, soon, window("good", "good")), "--volume", 'rate(hits{hash="{{args.hash}}"}[1m])', "-o", "json")
    (row,) = early.json["releases"]  # an analysis that passed early sends nobody home
    assert row["said"] == "passed" and row["requestsExposed"] == exposed["good"]
    wrong = sh(*command, "--volume", "rate(")
    assert wrong.code == 3 and "the volume cannot be asked" in wrong.errors


def test_a_secret_argument_is_read_and_never_shown(sh: Shell, server: str, tmp_path: Path) -> None:
    sh.ask(lambda client: keep_secret(client, "kept", {"hash": "good"}))
    manifest = template(server)
    manifest["spec"]["args"] = [{"name": "hash", "valueFrom": {"secretKeyRef": {"name": "kept", "key": "hash"}}}]
    plain = {key: value for key, value in window("a", "good").items() if key != "args"}
    (row,) = sh(*files(tmp_path, manifest, plain), "-o", "json").json["releases"]
    assert (row["said"], len(row["metrics"][0]["measurements"]), row["metrics"][0]["question"]) == ("passed", 30, 'ok{hash="*****"}')


async def keep(client: Client, url: str) -> None:
    """Releases as the API server dates them: now, and judged half an hour later but for one."""
    await client.create(ANALYSIS_TEMPLATES, template(url))
    now = datetime.now(UTC)
    ends = {"web-1": Verdict.PASSED, "web-2": Verdict.FAILED, "web-3": Verdict.SUPERSEDED, "web-4": Verdict.HELD, "web-5": Verdict.PASSED}
    for number, (name, verdict) in enumerate(ends.items()):
        decided = now + timedelta(minutes=30) if name != "web-5" else now - timedelta(days=1)
        status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, pod_hash=f"hash-{number}", decided_at=decided)
        await store(client, release(name=name, status=status))
    await store(client, release(name="web-6", status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash="good")))


def test_releases_of_the_cluster_lend_their_pod_hash(sh: Shell, server: str) -> None:
    sh.ask(lambda client: keep(client, server))
    command = ["backtest", "rate", "-n", NAMESPACE, "--arg", "hash={podHash}", *ALWAYS]
    ended = sh(*command, "-o", "json")
    told = [(row["release"], row["outcome"], row["metrics"][0]["question"]) for row in ended.json["releases"]]
    assert told == [
        (f"{NAMESPACE}/web-1", "good", 'ok{hash="hash-0"}'),
        (f"{NAMESPACE}/web-2", "bad", 'ok{hash="hash-1"}'),
        (f"{NAMESPACE}/web-3", "unknown", 'ok{hash="hash-2"}'),
    ]
    other = sh(*command, "--rollout", "other")
    assert other.code == 3 and "no release in this time was deployed and judged" in other.errors


def clone(folder: Path, *messages: str) -> dict[str, str]:
    """A repository of commits ten minutes apart; one that begins with `-` changes another file than `app/web.yaml`. Ids by first word."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    shas: dict[str, str] = {}
    for number, message in enumerate(messages):
        text = message.format(**shas)
        at = f"Ann <ann@example.com> {int(NOW.timestamp()) + 600 * number} +0000"
        name = "other.yaml" if message.startswith("-") else "app/web.yaml"
        before = "from refs/heads/main^0\n" if number else ""
        lines = f"commit refs/heads/main\nauthor {at}\ncommitter {at}\ndata {len(text)}\n{text}\n{before}"
        body = f"n: {number}\n"
        git(folder, "fast-import", "--quiet", stdin=f"{lines}M 644 inline {name}\ndata {len(body)}\n{body}\n".encode())
        shas[message.split()[0].strip("-")] = git(folder, "rev-parse", "main").decode().strip()
    git(folder, "reset", "-q", "--hard", "main")
    return shas


def test_commits_of_a_clone_are_releases_and_what_was_taken_back_was_bad(sh: Shell, server: str, tmp_path: Path) -> None:
    back = "Revert it\n\nThis reverts commit {bad}.\n"
    shas = clone(
        tmp_path / "clone", "good one", "bad two", back, "-elsewhere three", "worse four", "ours\n\nReconciler-Restores: {worse}\n"
    )
    command = [*files(tmp_path, template(server), window("a", "good"))[:3], *ALWAYS, "--arg", "hash={commit}"]
    told = sh(*command, "--from-git", str(tmp_path / "clone" / "app"), "-o", "json").json["releases"]
    names = [(row["release"], row["outcome"], row["start"][11:16], row["end"][11:16]) for row in told]
    assert names == [
        (shas["good"][:12], "good", "12:00", "12:10"),
        (shas["bad"][:12], "bad", "12:10", "12:20"),
        (shas["worse"][:12], "bad", "12:40", "12:50"),
    ]
    assert told[0]["metrics"][0]["question"] == f'ok{{hash="{shas["good"]}"}}'
    one = sh(*command, "--from-git", str(tmp_path / "clone" / "other.yaml"), "-o", "json").json["releases"]
    assert [(row["release"], row["end"][11:16]) for row in one] == [(shas["elsewhere"][:12], "13:00")]


def test_what_is_no_clone_is_3(sh: Shell, tmp_path: Path) -> None:
    command = files(tmp_path, template("http://h"), window("a", "good"))[:3]
    (tmp_path / "plain").mkdir()
    for path, words in ((tmp_path / "plain", "not a git repository"), (tmp_path / "gone", "is not there")):
        ended = sh(*command, *ALWAYS, "--arg", "hash=x", "--from-git", str(path))
        assert ended.code == 3 and f"--from-git {path}: " in ended.errors and words in ended.errors


@pytest.mark.parametrize(
    ("provider", "kind"), [({"web": {"url": "http://h"}}, "web"), ({"job": {"spec": {"template": {"spec": {"containers": []}}}}}, "job")]
)
def test_a_provider_without_a_history_is_refused_by_name(sh: Shell, tmp_path: Path, provider: Manifest, kind: str) -> None:
    ended = sh(*files(tmp_path, template("", provider=provider, count=1), window("a", "good")))
    assert ended.code == 3
    assert f"AnalysisTemplate shop/rate: metric ok: provider {kind} keeps no history that can be asked; prometheus does" in ended.errors


def test_a_server_that_is_away_is_4(sh: Shell, tmp_path: Path) -> None:
    ended = sh(*files(tmp_path, template("http://127.0.0.1:9"), window("a", "good")))
    assert ended.code == 4 and "metric ok: its server gave no answer about 2026-11-25T12:00:00Z" in ended.errors


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ({}, "write a list of releases"),
        ([], "write a list of releases"),
        (["a"], "[0]: must be an object"),
        ([{"start": "2026-11-25T12:00:00Z"}], "[0].name: is required"),
        ([{"name": "a"}], "[0].start: None is no moment"),
        ([{"name": "a", "start": "soon"}], "[0].start: 'soon' is no moment"),
        ([{"name": "a", "start": "2026-11-25 12:00:00"}], "is no moment"),
        ([{"name": "a", "start": "2026-11-25T12:00:00Z", "end": "2026-11-25T11:00:00Z"}], "[0].end: must be after its start"),
        ([{"name": "a", "start": "2026-11-25T12:00:00Z", "for": "long"}], "[0].for: "),
        ([{"name": "a", "start": "2026-11-25T12:00:00Z", "outcome": "fine"}], "[0].outcome: 'fine' is none of good, bad, unknown"),
        ([{"name": "a", "start": "2026-11-25T12:00:00Z", "outcom": "bad"}], "[0].outcom: is no field"),
        ([window("a", "bad"), window("a", "bad")], "two releases have the name 'a'"),
    ],
)
def test_a_file_of_releases_that_cannot_be_used_names_entry_and_field(sh: Shell, tmp_path: Path, windows: Any, words: str) -> None:
    command = files(tmp_path, template("http://h"))
    (tmp_path / "r.yaml").write_text(json.dumps(windows))
    ended = sh(*command)
    assert ended.code == 3 and words in ended.errors and str(tmp_path / "r.yaml") in ended.errors


def test_what_is_older_than_asked_is_left_out(sh: Shell, server: str, tmp_path: Path) -> None:
    old = window("old", "bad", start="2020-01-01T00:00:00Z")
    since = (datetime.now(UTC) - datetime(2021, 1, 1, tzinfo=UTC)).days
    command = [*files(tmp_path, template(server), window("good", "good"), old)[:-1], f"{since}d"]
    ended = sh(*command, "-o", "json")
    assert [row["release"] for row in ended.json["releases"]] == ["good"]


def test_a_window_without_end_is_refused(sh: Shell, server: str, tmp_path: Path) -> None:
    ended = sh(*files(tmp_path, template(server, interval="500ms", failureLimit=9_999), window("good", "good", **{"for": "48h"})))
    assert ended.code == 3 and "good: more than 5000 measurements in one window: shorten it" in ended.errors


def test_a_wrong_usage_is_2(sh: Shell, tmp_path: Path) -> None:
    command = files(tmp_path, template("http://h"), window("a", "good"))
    for wrong in (
        ["--rollout", "web"],
        ["--from-git", "."],
        ["--since", "soon"],
        ["--since", "900000d"],
        ["--since", "9" * 50 + "d"],
        ["--arg", "nothing=x"],
    ):
        assert sh(*command, *wrong).code == 2
    assert sh("backtest").code == 2
    assert sh(*command, "--html", str(tmp_path)).code in (3, 4)
