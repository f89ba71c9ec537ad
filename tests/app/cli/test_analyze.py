"""A template is tried: from a file and from the cluster, once and to its end, with secrets, Jobs and servers that are away."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, JOBS, ROLLOUTS
from reconciler.kube.client import Client
from tests.kit.analysis import Endpoint, endpoint, vector
from tests.kit.clusters import NAMESPACE
from tests.kit.providers import keep
from tests.kit.schemas import violations
from tests.kit.shell import Shell, nowhere
from tests.kit.wait import until

SECRET = "hunter2-hunter2"
SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schemas" / "analyze.json"


@pytest.fixture
def server(sh: Shell) -> Iterator[Endpoint]:
    context = endpoint()
    answering = sh.ask(lambda _: context.__aenter__())
    answering.answer("/api/v1/query", vector("0.913"))
    yield answering
    sh.ask(lambda _: context.__aexit__(None, None, None))


def template(name: str = "rate", kind: str = "AnalysisTemplate", **spec: object) -> Manifest:
    metadata = {"name": name, **({"namespace": NAMESPACE} if kind == "AnalysisTemplate" else {})}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def asked(server: Endpoint, name: str = "rate", success: str = "result[0] >= 0.95", **fields: object) -> Manifest:
    return {
        "name": name,
        "successCondition": success,
        "provider": {"prometheus": {"address": server.url, "query": "rate_of{service='{{args.service}}'}"}},
        **fields,
    }


ARGS = [{"name": "service"}]


def file(folder: Path, *manifests: Manifest) -> str:
    path = folder / "templates.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    return str(path)


def test_a_metric_is_measured_once_and_its_condition_worked_out(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    path = file(tmp_path, template(args=ARGS, metrics=[asked(server)]))
    ended = sh("analyze", "-f", path, "--arg", "service=web")
    assert ended.code == 1
    lines = ended.output.splitlines()
    assert lines[0].startswith("rate  20") and lines[0].endswith("Failed  value [0.913]")
    assert lines[1:3] == ["  asked     rate_of{service='web'}", "  succeeds  when result[0] >= 0.95: 0.913 >= 0.95 is false"]
    assert lines[-1] == 'AnalysisTemplate shop/rate: failed: Metric "rate" assessed Failed due to failed (1) > failureLimit (0)'
    assert len(server.requests) == 1


def test_a_good_value_is_0_and_its_document_fits_the_schema(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    path = file(tmp_path, template(args=ARGS, metrics=[asked(server, success="result[0] >= 0.9")]))
    ended = sh("analyze", "-f", path, "--arg", "service=web", "-o", "json")
    assert (ended.code, ended.json["verdict"], ended.json["complete"]) == (0, "passed", True)
    assert violations(ended.json, json.loads(SCHEMA.read_text())) == []
    assert ended.json["metrics"][0]["measurements"][0]["conditions"][0]["worked"] == "0.913 >= 0.9"


def test_a_failure_within_the_limit_decides_nothing_and_is_no_success(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    path = file(tmp_path, template(args=ARGS, metrics=[asked(server, interval="1h", count=5, failureLimit=2, initialDelay="1h")]))
    ended = sh("analyze", "-f", path, "--arg", "service=web", "-o", "json")
    assert (ended.code, ended.json["verdict"], ended.json["complete"]) == (1, "undecided", False)
    assert ended.json["metrics"][0]["limits"][0] == {"limit": "failureLimit", "used": 1, "allowed": 2}


def test_a_dry_run_does_not_count(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    metrics = [asked(server, success="result[0] > 0.9"), asked(server, "tried")]
    path = file(tmp_path, template(args=ARGS, metrics=metrics, dryRun=[{"metricName": "tried"}]))
    ended = sh("analyze", "-f", path, "--arg", "service=web")
    assert ended.code == 0 and "(dry run: does not count)" in ended.output


def test_no_data_is_never_a_pass(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    server.answer("/api/v1/query", vector())
    path = file(tmp_path, template(args=ARGS, metrics=[asked(server)]))
    ended = sh("analyze", "-f", path, "--arg", "service=web", "-o", "json")
    measured = ended.json["metrics"][0]["measurements"][0]
    assert (ended.code, ended.json["verdict"], measured["founded"]) == (4, "error", False)
    assert measured["conditions"][0]["answer"] is None


def test_a_file_needs_no_cluster(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    path = file(tmp_path, template(metrics=[{**asked(server, success="true"), "provider": {"web": {"url": server.url + "/api/v1/query"}}}]))
    assert sh("analyze", "-f", path, "--kubeconfig", str(nowhere(tmp_path)), cluster=False).code == 0


def test_a_server_that_is_away_is_4_and_another_may_be_named(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    away = asked(server, success="true")
    away["provider"]["prometheus"]["address"] = "http://127.0.0.1:9"
    path = file(tmp_path, template(args=ARGS, metrics=[away]))
    ended = sh("analyze", "-f", path, "--arg", "service=web")
    assert ended.code == 4 and "no answer" in ended.output
    assert sh("analyze", "-f", path, "--arg", "service=web", "--prometheus", server.url).code == 0


def test_templates_of_the_cluster_are_joined_with_those_they_name(sh: Shell, server: Endpoint) -> None:
    async def stock(client: Client) -> None:
        outer = template("outer", args=ARGS, templates=[{"templateName": "all", "clusterScope": True}])
        await client.create(ANALYSIS_TEMPLATES, outer)
        inner = template("all", "ClusterAnalysisTemplate", args=ARGS, metrics=[asked(server, success="result[0] > 0.9")])
        await client.create(CLUSTER_ANALYSIS_TEMPLATES, inner)
        await client.create(ANALYSIS_TEMPLATES, template("broken", templates=[{"templateName": "nowhere"}]))

    sh.ask(stock)
    ended = sh("analyze", "outer", "-n", NAMESPACE, "--arg", "service=web")
    assert ended.code == 0 and ended.output.splitlines()[-1].startswith("AnalysisTemplate shop/outer: passed")
    alone = sh("analyze", "cat/all", "--arg", "service=web")
    assert alone.code == 0 and "ClusterAnalysisTemplate all: passed" in alone.output
    assert sh("analyze", "all", "-n", NAMESPACE, "--arg", "service=web").code == 0
    assert "AnalysisTemplate 'nowhere' not found" in (ended := sh("analyze", "broken", "-n", NAMESPACE)).errors and ended.code == 3
    elsewhere = sh("analyze", "outer", "-n", "default", "--arg", "service=web")
    assert elsewhere.code == 3 and "no AnalysisTemplate or ClusterAnalysisTemplate outer in namespace default" in elsewhere.errors


def secretive(server: Endpoint) -> Manifest:
    web = {"url": server.url + "/api/v1/query", "jsonPath": "{$.said}", "headers": [{"key": "X-Key", "value": "{{args.token}}"}]}
    args = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "kept", "key": "token"}}}]
    condition = "result == 'good {{args.token}}'"
    return template(args=args, metrics=[{"name": "rate", "successCondition": condition, "provider": {"web": web}}])


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_secret_is_read_sent_and_never_shown(sh: Shell, server: Endpoint, tmp_path: Path, output: str) -> None:
    sh.ask(lambda client: keep(client, "kept", {"token": SECRET}))
    server.answer("/api/v1/query", {"said": f"good {SECRET}"})
    path = file(tmp_path, secretive(server))
    ended = sh("analyze", "-f", path, "-n", NAMESPACE, "-o", output)
    assert server.requests[0][2]["X-Key"] == SECRET
    assert ended.code == 0 and SECRET not in ended.output + ended.errors
    assert "good *****" in ended.output


def test_a_secret_that_is_not_there_is_3_and_a_cluster_that_is_away_4(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    path = file(tmp_path, secretive(server))
    ended = sh("analyze", "-f", path, "-n", NAMESPACE)
    assert ended.code == 3 and '"kept" not found' in ended.errors
    assert sh("analyze", "-f", path, "-n", NAMESPACE, "--kubeconfig", str(nowhere(tmp_path)), cluster=False).code == 4
    given = sh("analyze", "-f", path, "-n", NAMESPACE, "--arg", f"token={SECRET}")
    assert given.code == 2 and SECRET not in given.errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "args.service was not resolved"),
        (["--arg", "sevrice=web"], "args.sevrice is not declared; declared are: service"),
        (["--arg", "service=a", "--arg", "service=b"], "--arg service: given twice"),
        (["--arg", "service"], "write name=value"),
        (["--arg", "service=web", "--for", "5m"], "--for needs -w"),
        (["rollout/web"], "'rollout/web': write NAME"),
    ],
)
def test_a_wrong_usage_is_2(sh: Shell, server: Endpoint, tmp_path: Path, arguments: list[str], words: str) -> None:
    path = file(tmp_path, template(args=ARGS, metrics=[asked(server)]))
    ended = sh("analyze", "-f", path, *arguments)
    assert ended.code == 2 and words in " ".join(ended.errors.split())
    assert server.requests == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"metrics": [{"name": "m", "provider": {"prometheus": {"query": "up", "timeout": -1}}}]}, "timeout"),
        ({"metrics": [{"name": "m", "provider": {"oracle": {}}}]}, 'provider "oracle" is not supported yet'),
        ({"metrics": [{"name": "m", "provider": {"web": {"url": "http://h"}}, "count": 2}]}, "interval must be specified when count > 1"),
        ({"metrics": []}, "no metrics specified"),
        ({"metrics": ["m"]}, "spec.metrics: Invalid value: ['m']: must be a list of objects"),
        ({"args": "a"}, "spec.args"),
    ],
)
def test_what_the_daemon_would_refuse_is_3(sh: Shell, tmp_path: Path, spec: Manifest, words: str) -> None:
    ended = sh("analyze", "-f", file(tmp_path, template(**spec)))
    assert ended.code == 3 and words in ended.errors and "AnalysisTemplate " in ended.errors


def test_files_that_hold_no_template_or_several_are_told_apart(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    both = file(tmp_path, template("a", metrics=[asked(server)]), template("b", metrics=[asked(server)]))
    several = sh("analyze", "-f", both)
    assert several.code == 3 and "several templates; name one of: analysistemplate/a, analysistemplate/b" in several.errors
    (tmp_path / "none.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert "no AnalysisTemplate or ClusterAnalysisTemplate is in it" in sh("analyze", "-f", str(tmp_path / "none.yaml")).errors
    assert sh("analyze", "-f", str(tmp_path / "absent.yaml")).code == 3


def test_watching_measures_until_the_limit_is_broken(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    metric = asked(server, interval="10ms", failureLimit=1)
    path = file(tmp_path, template(args=ARGS, metrics=[metric]))
    ended = sh("analyze", "-f", path, "--arg", "service=web", "-w")
    assert ended.code == 1 and ended.output.count("0.913 >= 0.95 is false") == 2
    assert "failed (2) > failureLimit (1)" in ended.output.splitlines()[-1]


def test_an_endless_analysis_ends_when_its_time_is_over(sh: Shell, server: Endpoint, tmp_path: Path) -> None:
    metric = asked(server, success="result[0] > 0.9", interval="10ms")
    path = file(tmp_path, template(args=ARGS, metrics=[metric]))
    ended = sh("analyze", "-f", path, "--arg", "service=web", "-w", "--for", "0.5s", "-o", "json")
    last = yaml.safe_load(ended.output.splitlines()[-1])
    assert (ended.code, last["verdict"], last["complete"], last["reason"]) == (0, "passed", True, "Run Terminated")


JOB = {
    "name": "check",
    "provider": {"job": {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "c:1"}], "restartPolicy": "Never"}}}}},
}


def test_a_job_runs_only_when_it_may(sh: Shell, tmp_path: Path) -> None:
    ended = sh("analyze", "-f", file(tmp_path, template(metrics=[JOB])), "-n", NAMESPACE)
    assert ended.code == 2 and "--jobs" in ended.errors
    assert sh.ask(lambda client: client.list(JOBS, NAMESPACE)) == []


@pytest.mark.parametrize(("condition", "code"), [("Complete", 0), ("Failed", 1)])
def test_a_job_that_ran_is_judged_by_its_end_and_removed(sh: Shell, tmp_path: Path, condition: str, code: int) -> None:
    seen: list[Manifest] = []

    async def end(client: Client) -> None:
        found = await until(lambda: client.list(JOBS, NAMESPACE))
        seen.extend(found)
        body = {"status": {"conditions": [{"type": condition, "status": "True"}]}}
        await client.patch(ObjectRef(JOBS, NAMESPACE, name_of(found[0])), body, subresource="status")

    ending = threading.Thread(target=sh.ask, args=(end,))
    ending.start()
    ended = sh("analyze", "-f", file(tmp_path, template(metrics=[JOB])), "-n", NAMESPACE, "--jobs")
    ending.join()
    assert ended.code == code
    assert "ownerReferences" not in seen[0]["metadata"]  # an owner that is nowhere would have it collected at once
    assert sh.ask(lambda client: client.list(JOBS, NAMESPACE)) == []


def test_a_job_is_removed_when_the_command_is_told_to_end(sh: Shell, tmp_path: Path) -> None:
    path = file(tmp_path, template(metrics=[JOB]))
    command = ["analyze", "-f", path, "-n", NAMESPACE, "--jobs", "--kubeconfig", str(sh.kubeconfig)]
    running = subprocess.Popen([sys.executable, "-m", "reconciler", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert sh.ask(lambda client: until(lambda: client.list(JOBS, NAMESPACE)))
    running.terminate()
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (143, b"")
    assert sh.ask(lambda client: client.list(JOBS, NAMESPACE)) == []


def canary(template: str) -> Manifest:
    """A Rollout whose second step asks this template, and whose background analysis asks another."""
    latest = {"name": "service", "valueFrom": {"podTemplateHashValue": "Latest"}}
    undeclared = {"name": "more", "value": "x"}
    background = {"templates": [{"templateName": "another"}], "args": [{"name": "service", "value": "no"}]}
    steps = [{"setWeight": 10}, {"analysis": {"templates": [{"templateName": template}], "args": [latest, undeclared]}}]
    spec = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        "strategy": {"canary": {"analysis": background, "steps": steps}},
    }
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web", "namespace": NAMESPACE}, "spec": spec}


def test_a_rollout_lends_the_arguments_that_it_would_give(sh: Shell, server: Endpoint) -> None:
    async def stock(client: Client) -> None:
        await client.create(ANALYSIS_TEMPLATES, template(args=ARGS, metrics=[asked(server, success="result[0] > 0.9")]))
        await client.create(ANALYSIS_TEMPLATES, template("unnamed", args=ARGS, metrics=[asked(server)]))
        await client.create(ROLLOUTS, canary("rate"))
        await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"status": {"currentPodHash": "abc123"}}, subresource="status")

    sh.ask(stock)
    ended = sh("analyze", "rate", "-n", NAMESPACE, "--rollout", "web")
    assert ended.code == 0 and "rate_of{service='abc123'}" in ended.output
    given = sh("analyze", "rate", "-n", NAMESPACE, "--rollout", "web", "--arg", "service=mine")
    assert given.code == 0 and "rate_of{service='mine'}" in given.output
    unnamed = sh("analyze", "unnamed", "-n", NAMESPACE, "--rollout", "web")
    assert unnamed.code == 3 and "none of its analyses names AnalysisTemplate shop/unnamed" in unnamed.errors
    assert "no Rollout shop/gone" in sh("analyze", "rate", "-n", NAMESPACE, "--rollout", "gone").errors
