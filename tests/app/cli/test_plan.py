"""`reconciler plan`: what a range of commits would release, from a clone on this disk."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.app.cli import main
from tests.kit.chartrepository import unreachable_chart
from tests.kit.layouts import IMAGE, rollout, service
from tests.kit.layouts_kustomize import KUSTOMIZE
from tests.kit.repositories import ENVIRONMENT
from tests.kit.signing import allowed_signers, needs_ssh_keygen, ssh_key

PERSON = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com"}
BAD = f"{IMAGE}:6.6.6"


class Checkout:
    """A clone with a worktree, as a person or a pipeline has one."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.top, env={**ENVIRONMENT, **PERSON}, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, str | None]) -> str:
        for name, content in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def inside(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.top.rglob("*")) if path.is_file()}


@pytest.fixture
def clone(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "clone")


class Planned:
    """How one call ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, clone: Checkout, *words: str) -> tuple[int, str]:
        code = main.run(["plan", *words, "-C", str(clone.top)])
        said = self._capsys.readouterr()
        return code, said.out + said.err


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str]) -> Planned:
    return Planned(capsys)


def test_a_bump_is_told_with_its_steps_its_place_and_its_way_back(clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout().replace("pause: {}", "pause: {duration: 90}"), "service.yaml": service()})
    clone.commit({"web.yaml": rollout(BAD).replace("pause: {}", "pause: {duration: 90}")})
    code, said = plan(clone, "HEAD", "--strict")
    assert code == 0
    assert said.splitlines()[0].startswith(".: 1 release in ")
    assert said.splitlines()[2:] == [
        "Rollout shop/web: canary, 2 steps, pauses of 1m30s in all",
        f"  web.yaml:19 spec.template.spec.containers[0].image: {IMAGE}:1.0 -> {BAD}",
        "  users meet it in step 2 (20 % for 1m30s); how many requests that is, is not known: name a query with --volume",
        "  if it fails, these values are restored by a push",
    ]


def test_a_value_that_others_share_is_proposed_and_says_with_whom(clone: Checkout, plan: Planned) -> None:
    layout = next(one for one in KUSTOMIZE if one.name == "the image in a base of two overlays")
    clone.commit(layout.files)
    clone.commit(layout.moved)
    said = plan(clone, "HEAD", "--path", layout.path)[1]
    assert "if it fails, the restore is proposed: the edit would also change" in said and "overlays/stage" in said
    assert f"base/web.yaml:19 spec.template.spec.containers[0].image: {IMAGE}:1.0 -> {BAD}" in said


def test_a_range_is_read_as_git_reads_it(clone: Checkout, plan: Planned) -> None:
    first = clone.commit({"web.yaml": rollout(), "api.yaml": rollout("api:1", "api")})
    clone.git("checkout", "--quiet", "-b", "feature")
    clone.commit({"web.yaml": rollout(BAD)})
    clone.git("checkout", "--quiet", "main")
    clone.commit({"api.yaml": rollout("api:2", "api")})
    assert "shop/api" not in plan(clone, "main...feature")[1]
    both = plan(clone, "main..feature")[1]
    assert "api:2 -> api:1" in both and BAD in both
    assert f"in {first[:7]}.." in plan(clone, "main...feature")[1]
    clone.git("update-ref", "refs/remotes/origin/HEAD", first)
    assert "shop/api" in plan(clone)[1]


def test_first_versions_removals_and_settings_are_told_apart(clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout(), "old.yaml": rollout(name="old")})
    clone.commit({"web.yaml": rollout().replace("setWeight: 20", "setWeight: 30"), "old.yaml": None, "new.yaml": rollout(name="new")})
    code, said = plan(clone, "HEAD", "--strict", "-o", "json")
    (found,) = json.loads(said)
    assert code == 0
    assert {one["workload"]: (one["kind"], one["wayBack"]) for one in found["releases"]} == {
        "Rollout shop/new": ("first", "none"),
        "Rollout shop/old": ("removed", "none"),
        "Rollout shop/web": ("settings", "none"),
    }
    assert [(f["old"], f["new"]) for one in found["releases"] if one["kind"] == "settings" for f in one["fields"]] == [("20", "30")]
    assert plan(clone, "HEAD")[1].startswith(".: 1 release in ")


def test_what_only_a_person_can_take_back_fails_a_strict_plan(clone: Checkout, plan: Planned) -> None:
    two = "env: [{name: A, value: '1'}, {name: B, value: '2'}]"
    clone.commit({"web.yaml": rollout(more=two)})
    clone.commit({"web.yaml": rollout(more="env: [{name: B, value: '2'}, {name: A, value: '1'}]")})
    code, said = plan(clone, "HEAD", "--strict")
    assert code == 1 and "if it fails, only a person can restore it: " in said
    assert plan(clone, "HEAD")[0] == 0


def test_a_file_that_cannot_be_read_is_named_and_hides_nothing_else(clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout()})
    clone.commit({"web.yaml": rollout(BAD), "broken.yaml": "a: [\n"})
    code, said = plan(clone, "HEAD", "--strict")
    assert code == 1 and "not usable: broken.yaml:2: " in said and BAD in said


def test_a_secret_is_never_shown(clone: Checkout, plan: Planned) -> None:
    def secret(value: str) -> str:
        return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: token, namespace: shop}}\nstringData: {{token: {value}}}\n"

    web = rollout(more="envFrom: [{secretRef: {name: token}}]")
    clone.commit({"web.yaml": web, "token.yaml": secret("hunter2")})
    clone.commit({"token.yaml": secret("hunter3")})
    for form in ("text", "markdown", "json", "yaml"):
        said = plan(clone, "HEAD", "-o", form)[1]
        assert "stringData" in said and "hunter" not in said


def test_markup_of_strangers_is_no_markup_in_a_comment(clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout(more="args: ['a']")})
    clone.commit({"web.yaml": rollout(more="args: ['`<img src=x>` | @ann fixes #1']")})
    said = plan(clone, "HEAD", "-o", "markdown")[1]
    (row,) = [line for line in said.splitlines() if "img" in line]
    assert row.count(" | ") == 3 and "``" in row and r"\|" in row


def test_a_folder_is_what_is_not_committed_yet(clone: Checkout, plan: Planned) -> None:
    clone.commit({"prod/web.yaml": rollout(), "stage/web.yaml": rollout(), ".gitignore": "*.secret.yaml\n"})
    (clone.top / "prod/web.yaml").write_text(rollout(BAD))
    (clone.top / "prod/api.yaml").write_text(rollout("api:1", "api"))
    (clone.top / "prod/own.secret.yaml").write_text("kind: [")
    before = clone.inside()
    code, said = plan(clone, "prod", "--strict")
    assert code == 0 and f"{IMAGE}:1.0 -> {BAD}" in said and "Rollout shop/api" in said
    assert said.splitlines()[0].startswith("prod: 2 releases in ")
    assert plan(clone, "stage")[1].startswith("stage: no releases in ")
    assert clone.inside() == before


def test_filters_and_links_of_a_clone_that_others_wrote_do_nothing(clone: Checkout, plan: Planned) -> None:
    clone.commit({"prod/web.yaml": rollout(), ".gitattributes": "*.yaml filter=bad\n"})
    clone.git("config", "filter.bad.clean", f"touch {clone.top}/ran; cat")
    clone.git("config", "core.fsmonitor", f"touch {clone.top}/ran; false")
    (clone.top / "prod/web.yaml").write_text(rollout(BAD))
    assert BAD in plan(clone, "prod")[1]
    assert not (clone.top / "ran").exists()
    (clone.top / "out").symlink_to("/etc")
    assert plan(clone, "out")[0] == 3


def test_a_commit_comes_before_a_folder_of_its_name(clone: Checkout, plan: Planned) -> None:
    clone.commit({"main/web.yaml": rollout()})
    clone.commit({"main/web.yaml": rollout(BAD)})
    (clone.top / "main/web.yaml").write_text(rollout("web:3"))
    assert BAD in plan(clone, "main")[1] and "web:3" not in plan(clone, "main")[1]
    assert "web:3" in plan(clone, "./main")[1]


def test_nothing_is_written_into_the_clone(clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout()})
    clone.commit({"web.yaml": rollout(BAD)})
    before = clone.inside()
    assert plan(clone, "HEAD")[0] == 0
    assert clone.inside() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "origin/HEAD: no such commit in .*clone: name a range, such as main...HEAD"),
        (("nope..HEAD",), "nope: no such commit in .*clone: fetch it first"),
        (("HEAD..--all",), "--all: no such commit in"),
        (("HEAD~5",), r"HEAD~5\^: no such commit in"),
        (("HEAD",), r"HEAD\^: no such commit in"),
    ],
)
def test_a_commit_that_is_not_here_is_named(words: tuple[str, ...], told: str, clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout()})
    code, said = plan(clone, *words)
    assert code == 3 and re.search(told, said), said


def test_histories_that_share_nothing_have_no_fork(clone: Checkout, plan: Planned) -> None:
    clone.commit({"web.yaml": rollout()})
    clone.git("checkout", "--quiet", "--orphan", "other")
    clone.commit({"web.yaml": rollout(BAD)})
    code, said = plan(clone, "main...other")
    assert code == 3 and "have no common commit" in said
    assert BAD in plan(clone, "main..other")[1]


def test_outside_of_a_clone_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plan", "HEAD", "-C", str(tmp_path)]) == 3
    assert "in no clone of a Git repository" in capsys.readouterr().err


def test_sources_of_the_settings_are_planned_as_they_are_followed(clone: Checkout, plan: Planned, tmp_path: Path) -> None:
    settings = tmp_path / "reconciler.yaml"
    common = "repository: 'https://h/shop.git', branch: main, environment: e"
    settings.write_text(f"sources:\n- {{name: prod, path: prod, {common}}}\n- {{name: stage, path: stage, namespace: shop, {common}}}\n")
    bare = rollout().replace("  namespace: shop\n", "")
    clone.commit({"prod/web.yaml": rollout(), "stage/web.yaml": bare})
    clone.commit({"prod/web.yaml": rollout(BAD), "stage/web.yaml": bare.replace(":1.0", ":2.0")})
    code, said = plan(clone, "HEAD", "-c", str(settings), "-o", "json")
    assert code == 0
    assert [(one["source"], [r["workload"] for r in one["releases"]]) for one in json.loads(said)] == [
        ("prod", ["Rollout shop/web"]),
        ("stage", ["Rollout shop/web"]),
    ]
    assert len(json.loads(plan(clone, "HEAD", "-c", str(settings), "--source", "stage", "-o", "json")[1])) == 1
    code, said = plan(clone, "HEAD", "-c", str(settings), "--source", "nope")
    assert code == 3 and "there is no source 'nope'; there are prod, stage" in said


def test_a_chart_that_its_source_lets_be_fetched_is_asked_for(clone: Checkout, plan: Planned, tmp_path: Path) -> None:
    settings = tmp_path / "reconciler.yaml"
    text = "helm: {registries: [{url: 'http://127.0.0.1:9'}]}"
    settings.write_text(f"sources: [{{name: a, repository: 'https://h/a.git', branch: main, environment: e, {text}}}]\n")
    clone.commit(unreachable_chart())
    clone.commit({"values.yaml": "a: 1\n"})
    said = plan(clone, "HEAD", "-c", str(settings))[1]
    assert "Chart.yaml:4: the dependency 'part' 1.2.3" in said and "nobody listens there" in said


@needs_ssh_keygen
def test_whose_commits_a_source_takes_is_not_asked_of_a_proposal(clone: Checkout, plan: Planned, tmp_path: Path) -> None:
    settings, signers = tmp_path / "reconciler.yaml", allowed_signers(tmp_path, ssh_key(tmp_path))
    text = f"verify: {{allowedSignersFile: {signers}}}"
    settings.write_text(f"sources: [{{name: a, repository: 'https://h/a.git', branch: main, environment: e, {text}}}]\n")
    clone.commit({"web.yaml": rollout()})
    clone.commit({"web.yaml": rollout(BAD)})
    assert plan(clone, "HEAD", "-c", str(settings))[0] == 0
