"""Context, namespace, formats, hints, and one clear line where something is missing."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from reconciler.app.cli.main import run
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.client import Client
from tests.kit.clusters import NAMESPACE
from tests.kit.shell import Shell, nowhere
from tests.kit.stocked import fill, rejected, store

WEB = ObjectRef(ROLLOUTS, NAMESPACE, "web")


def two_contexts(sh: Shell) -> None:
    """The kubeconfig with a second context, whose namespace is `shop`."""
    document = yaml.safe_load(sh.kubeconfig.read_text())
    known = document["contexts"][0]["context"]
    document["contexts"][0]["context"] = {key: value for key, value in known.items() if key != "namespace"}
    document["contexts"].append({"name": "my shop", "context": {**known, "namespace": "shop"}})
    sh.kubeconfig.write_text(yaml.safe_dump(document))


async def failed(client: Client) -> None:
    await fill(client)
    await store(client, rejected())


def test_the_namespace_is_that_of_the_context_unless_it_is_named(sh: Shell) -> None:
    two_contexts(sh)
    sh.ask(fill)
    assert sh("list", "rollouts", "-o", "json").json == []
    assert [row["name"] for row in sh("list", "rollouts", "-o", "json", "--context", "my shop").json] == ["web"]
    assert [row["name"] for row in sh("list", "rollouts", "-A", "-o", "json").json] == ["web"]
    assert sh("list", "rollouts", "-n", "default", "-o", "json", "--context", "my shop").json == []
    assert sh("explain", "web", "--context", "my shop").code == 0


def test_hints_can_be_pasted(sh: Shell) -> None:
    two_contexts(sh)
    sh.ask(failed)
    said = sh("explain", "web", "--context", "my shop").output
    assert "reconciler hold lift web-bad -n shop --context 'my shop'\n" in said
    missing = sh("releases", "show", "gone", "--context", "my shop").errors
    assert "reconciler releases list -n shop --context 'my shop'" in missing


def test_what_is_in_another_namespace_is_found_there(sh: Shell) -> None:
    sh.ask(fill)
    ended = sh("status", "web", "-n", "default", "--no-watch")
    assert (ended.code, ended.errors) == (3, "reconciler: no Rollout default/web: there is one in shop: add -n shop\n")


def test_an_unknown_context_is_one_line(sh: Shell) -> None:
    ended = sh("list", "rollouts", "--context", "nowhere")
    assert ended.code == 3 and ended.errors.count("\n") == 1 and "nowhere" in ended.errors


def test_lists_speak_every_format(sh: Shell) -> None:
    sh.ask(failed)
    assert sh("list", "rollouts", "-n", "shop", "-o", "name").output == "rollout.argoproj.io/web\n"
    assert sh("releases", "list", "-n", "shop", "-o", "name").output == "release.reconciler.dev/web-bad\n"
    assert (
        yaml.safe_load(sh("list", "rollouts", "-n", "shop", "-o", "yaml").output) == sh("list", "rollouts", "-n", "shop", "-o", "json").json
    )
    wide, text = (sh("releases", "list", "-n", "shop", "-o", output).output for output in ("wide", "text"))
    assert "WAY-BACK" in wide and "WAY-BACK" not in text


def test_lists_tell_age_image_and_where_it_came_from(sh: Shell) -> None:
    sh.ask(failed)

    async def marked(client: Client) -> None:
        await client.patch(WEB, {"metadata": {"annotations": {"reconciler.dev/release": "web-bad"}}})

    sh.ask(marked)
    for command in (("list", "rollouts"), ("releases", "list"), ("hold", "list")):
        head, row = sh(*command, "-n", "shop").output.splitlines()
        assert {"AGE", "IMAGES", "AUTHOR", "SUBJECT"} <= set(head.split()), command
        assert "Ann" in row and "web 1.1" in row and "web:" in row and "ann@example.com" not in row
    shown = sh("get", "rollout", "web", "-n", "shop").output
    assert "Age: " in shown and "web 1.1 (Ann)" in shown


def test_the_commit_in_a_list_is_that_of_the_version_that_runs(sh: Shell) -> None:
    sh.ask(failed)
    row = sh("list", "rollouts", "-n", "shop", "-o", "json").json[0]
    assert row["release"] is None, "the newest release is another version's"


def test_a_subject_does_not_reach_the_terminal_raw(sh: Shell) -> None:
    async def coloured(client: Client) -> None:
        await store(client, rejected_with("\x1b[2Jgone"))

    sh.ask(coloured)
    for command in (("releases", "list"), ("hold", "list"), ("releases", "show", "web-bad")):
        assert "\x1b" not in sh(*command, "-n", "shop").output


def rejected_with(subject: str):  # type: ignore[no-untyped-def]
    from msgspec.structs import replace

    found = rejected()
    return replace(found, spec=replace(found.spec, commit=replace(found.spec.commit, subject=subject)))


def test_a_list_that_is_watched_on_a_pipe_prints_a_line_per_change(sh: Shell) -> None:
    sh.ask(fill)
    code = "from reconciler.app.cli.main import run; import sys; sys.exit(run(sys.argv[1:]))"
    for what in (("list", "rollouts"), ("get", "rollout", "web")):
        arguments = [sys.executable, "-c", code, *what, "-w", "-n", "shop", "--kubeconfig", str(sh.kubeconfig)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as watching:
            killer = threading.Timer(60, watching.kill)
            killer.start()
            try:
                assert watching.stdout is not None
                lines = iter(watching.stdout.readline, "")
                assert any("Paused" in line for line in lines)
                sh.ask(lambda client: phase(client, "Degraded"))
                assert any("Degraded" in line for line in lines)
                sh.ask(lambda client: phase(client, "Paused"))
            finally:
                killer.cancel()
                watching.terminate()


async def phase(client: Client, name: str) -> None:
    await client.patch(WEB, {"status": {"phase": name}}, subresource="status")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "a: b", "\x00", "clusters: 3", "kind: Config\ncurrent-context: x\ncontexts: [x]", "- a\n- b", "just words"],
)
def test_a_corrupt_kubeconfig_is_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    for arguments in (["list", "rollouts"], ["status", "web", "-n", "shop"], ["list", "rollouts", "-A"]):
        assert run([*arguments, "--kubeconfig", str(file)]) == 3
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("reconciler: no cluster found in") and said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["explain", "web"], ["status", "web"], ["freeze"], ["hold", "list"], ["promote", "web"]])
def test_a_server_that_does_not_answer_is_one_line(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, "--kubeconfig", str(nowhere(tmp_path))]) == 4
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("missing", ["reconciler_sandbox", "envoy", "promql_parser"])
def test_a_demo_without_a_part_of_the_sandbox_says_what_to_install(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
from reconciler.app.cli.main import run
sys.exit(run(["demo", "--only", "bakery"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    if missing == "reconciler_sandbox" or done.returncode != 3 or "no such story" not in done.stderr:
        assert done.returncode == 3 and done.stdout == ""
        assert done.stderr.count("\n") == 1 and "pip install 'reconciler[sandbox]'" in done.stderr


def test_the_version_is_an_option_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("reconciler ")


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("bash", {"COMP_WORDS": "reconciler status w", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "reconciler status w"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "reconciler status w", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_a_shell_completes_the_names_of_rollouts(shell: str, variables: dict[str, str], sh: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    sh.ask(fill)
    two_contexts(sh)
    document = yaml.safe_load(sh.kubeconfig.read_text())
    document["current-context"] = "my shop"
    sh.kubeconfig.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(sh.kubeconfig))
    monkeypatch.setenv("_RECONCILER_COMPLETE", f"complete_{shell}")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert "web" in sh(cluster=False).output


def test_completion_without_a_cluster_offers_nothing_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "KUBECONFIG": str(nowhere(tmp_path)),
        "_RECONCILER_COMPLETE": "complete_bash",
        "COMP_WORDS": "reconciler releases show w",
        "COMP_CWORD": "3",
    }.items():
        monkeypatch.setenv(name, value)
    run([])
    said = capsys.readouterr()
    assert (said.out.strip(), said.err) == ("", "")


def test_json_is_all_there_is_on_stdout_whatever_is_frozen(sh: Shell) -> None:
    sh.ask(failed)
    sh("freeze")
    for command in (
        ("list", "rollouts"),
        ("releases", "list"),
        ("releases", "show", "web-bad"),
        ("hold", "list"),
        ("get", "rollout", "web"),
        ("status", "web", "--no-watch"),
        ("explain", "web"),
    ):
        ended = sh(*command, "-n", "shop", "-o", "json")
        json.loads(ended.output)
        assert "rozen" in ended.output + ended.errors, command
        text = sh(*command, "-n", "shop")
        assert "Frozen: nothing is written to the cluster" in text.output + text.errors, command
