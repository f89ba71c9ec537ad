"""What a plan says about metrics: asked of the one server that a person names, and of nobody else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from reconciler.app.cli import main
from reconciler.kernel.identity import Manifest
from tests.app.cli.test_plan import BAD, Checkout
from tests.kit.analysis import Endpoint, vector
from tests.kit.layouts import rollout
from tests.kit.schemas import violations
from tests.kit.threads import served

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schemas" / "plan.json"
AWAY = "http://127.0.0.1:9"
VOLUME = "sum(rate(hits{namespace='{{args.namespace}}',workload='{{args.workload}}'}[5m]))"
HASH = "{name: hash, valueFrom: {podTemplateHashValue: Latest}}"


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with served() as answering:
        yield answering


def metric(name: str, query: str, **config: object) -> Manifest:
    told = {"address": AWAY, "query": query, "headers": [{"key": "X-Key", "value": "of-the-file"}], **config}
    return {"name": name, "successCondition": "result[0] > 0.9", "provider": {"prometheus": told}}


def template(*metrics: Manifest) -> str:
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "rate", "namespace": "shop"}}
    return yaml.safe_dump({**head, "spec": {"args": [{"name": "service"}, {"name": "hash"}], "metrics": list(metrics)}})


def analysed(image: str) -> str:
    analysis = f"{{templates: [{{templateName: rate}}], args: [{{name: service, value: web}}, {HASH}]}}"
    return rollout(image).replace("{pause: {}}", f"{{pause: {{duration: 60}}}}, {{analysis: {analysis}}}")


def pushed(folder: Path, *metrics: Manifest) -> Checkout:
    clone = Checkout(folder / "clone")
    clone.commit({"web.yaml": analysed("registry.example.com/web:1.0"), "rate.yaml": template(*metrics)})
    clone.commit({"web.yaml": analysed(BAD)})
    return clone


def planned(clone: Checkout, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main.run(["plan", "HEAD", "-C", str(clone.top), *words])
    said = capsys.readouterr()
    return code, said.out + said.err


THREE = (
    metric("ok", "ok{s='{{args.service}}'}"),
    metric("rare", "rare"),
    metric("mine", "mine{h='{{args.hash}}'}"),
    {"name": "call", "provider": {"web": {"url": AWAY, "jsonPath": "{$.ok}"}}},
)


def test_each_metric_says_whether_it_has_data_and_each_step_how_many_requests(
    tmp_path: Path, server: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer_in_turn("/api/v1/query", vector("12.5"), vector("0.99"), vector())
    code, said = planned(pushed(tmp_path, *THREE), capsys, "--prometheus", server.url, "--volume", VOLUME)
    assert code == 0
    assert "users meet it in step 2 (20 % for 1m, about 150 requests); step 3 (20 % until that ends, about 150 requests a minute)" in said
    assert "metric ok (prometheus): has data now: [0.99]" in said and "metric rare (prometheus): has no data now" in said
    assert "metric mine (prometheus): not asked: only the cluster knows its argument hash: give --arg hash=VALUE" in said
    assert "metric call (web): not asked: only Prometheus is" in said
    asked = [body for _, _, _, body in server.requests]
    assert len(asked) == 3 and "workload%3D%27web%27" in asked[0] and "s%3D%27web%27" in asked[1]
    assert not [headers for _, _, headers, _ in server.requests if "X-Key" in headers], "what a file says of accounts is left out"


def test_an_argument_that_is_given_stands_for_what_only_the_cluster_knows(
    tmp_path: Path, server: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer("/api/v1/query", vector("1"))
    clone = pushed(tmp_path, *THREE)
    code, said = planned(clone, capsys, "--prometheus", server.url, "--arg", "hash=abc", "-o", "json")
    (found,) = json.loads(said)
    assert code == 0 and violations([found], json.loads(SCHEMA.read_text())) == []
    metrics = found["releases"][0]["metrics"]
    assert {one["metric"]: one["found"] for one in metrics} == {"ok": "data", "rare": "data", "mine": "data", "call": "notAsked"}
    assert "mine%7Bh%3D%27abc%27%7D" in server.requests[-1][3]
    assert found["releases"][0]["volume"] == {"perSecond": None, "why": "name a query with --volume"}


def test_the_server_of_the_settings_is_asked_unless_offline(tmp_path: Path, server: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    server.answer("/api/v1/query", vector("1"))
    clone, settings = pushed(tmp_path, THREE[0]), tmp_path / "reconciler.yaml"
    source = {"name": "shop", "repository": "https://git.example.com/s.git", "branch": "main", "path": ".", "environment": "demo"}
    settings.write_text(yaml.safe_dump({"prometheus": server.url, "sources": [source]}))
    assert "has data now" in planned(clone, capsys, "-c", str(settings))[1]
    asked = len(server.requests)
    code, said = planned(clone, capsys, "-c", str(settings), "--offline", "-o", "markdown")
    assert code == 0 and "- metric ok (prometheus): not asked: --offline asks no server" in said.replace("\\", "")
    assert len(server.requests) == asked == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((503, "busy"), "could not be asked: "),
        ((200, "<html>"), "could not be asked: "),
        ((200, json.dumps(vector("NaN"))), "has no data now"),
    ],
)
def test_a_server_that_is_no_help_fails_no_plan(
    answer: tuple[int, str], told: str, tmp_path: Path, server: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer("/api/v1/query", answer[1], status=answer[0])
    code, said = planned(pushed(tmp_path, THREE[0]), capsys, "--prometheus", server.url, "--volume", "hits", "--strict")
    assert code == 0 and f"metric ok (prometheus): {told}" in said and "how many requests that is, is not known: " in said


def test_a_server_that_is_away_fails_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = planned(pushed(tmp_path, THREE[0]), capsys, "--prometheus", AWAY, "--strict")
    assert code == 0 and "metric ok (prometheus): could not be asked: " in said and "if it fails, these values are restored" in said


def test_a_server_that_hangs_or_is_away_is_not_asked_for_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clone = pushed(tmp_path, *[metric(f"m{n}", f"q{n}") for n in range(6)])
    code, said = planned(clone, capsys, "--prometheus", AWAY, "--volume", "hits")
    assert code == 0
    assert said.count("could not be asked: ") == 2 and said.count("not asked: 3 questions in a row had no answer") == 4


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"metrics": 3}, "metric of rate (unknown): not asked: "),
        ({"metrics": [{"name": "ok", "provider": {"prometheus": "x"}}]}, "metric ok (prometheus): could not be asked: "),
        ({"metrics": [{"name": "ok", "provider": {"prometheus": {}}}]}, "metric ok (prometheus): could not be asked: "),
        ({"metrics": [{"name": "ok", "provider": 7}]}, "metric ok (unknown): not asked: "),
        ({"args": [{"name": "open"}], "metrics": []}, "metric of rate (unknown): not asked: "),
        ({"args": [{"name": "hash", "valueFrom": "x"}], "metrics": []}, "metric of rate (unknown): not asked: cannot be read: "),
        ({"metrics": ["ok"]}, "metric of rate (unknown): not asked: "),
    ],
)
def test_a_template_that_cannot_be_read_is_told_and_asks_nothing(
    broken: Manifest, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = Checkout(tmp_path / "clone")
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "rate", "namespace": "shop"}}
    clone.commit({"web.yaml": analysed("registry.example.com/web:1.0"), "rate.yaml": yaml.safe_dump({**head, "spec": broken})})
    clone.commit({"web.yaml": analysed(BAD)})
    code, said = planned(clone, capsys, "--prometheus", AWAY)
    assert code == 0 and told in said, said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--offline", "--prometheus", AWAY), "--offline asks no server"),
        (("--offline", "--arg", "a=b"), "--offline asks no server"),
        (("--volume", "x"), "--volume: no server to ask"),
        (("--arg", "a"), "--arg 'a': write name=value"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    words: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = Checkout(tmp_path / "clone")
    code, said = planned(clone, capsys, *words)
    assert code == 2 and told in " ".join(said.split())
