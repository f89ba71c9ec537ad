"""What `kubectl kustomize` makes of a folder, and what is refused before it is asked."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Snapshot
from reconciler.git.tree import LARGEST_FILE, snapshot, with_files
from reconciler.renderers.child import ChildCall, ChildFailed, output_of
from reconciler.renderers.kustomize import KustomizeRenderer
from reconciler.renderers.kustomize_closure import closure
from reconciler.renderers.registry import renderer
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import RenderOptions
from tests.kit.manifests import deployment
from tests.kit.manifests import snapshot as files_of
from tests.kit.repositories import Origin

KUSTOMIZATION = "o/kustomization.yaml"
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": deployment()}
Texts = Mapping[str, str | bytes]


def kustomize(folder: str = "o") -> KustomizeRenderer:
    return KustomizeRenderer(RenderOptions(path=folder))


async def rendered(files: Texts, folder: str = "o") -> Parsed:
    return await kustomize(folder).render(_asked(files_of(files), folder))


def _asked(found: Snapshot, folder: str) -> Snapshot:
    """As a source gives it: whatever else is asked for is not there."""
    missing = kustomize(folder).missing(found)
    return Snapshot(found.commit, "", found.files, found.problems, absent=frozenset(missing))


def image(parsed: Parsed) -> str:
    (found,) = parsed.manifests
    return str(found.manifest["spec"]["template"]["spec"]["containers"][0]["image"])


async def test_an_overlay_sets_the_tag_and_its_objects_are_named_after_it() -> None:
    text = "resources: [../base]\nimages:\n  - {name: registry.example.com/web, newTag: '2'}\n"
    parsed = await rendered({**BASE, KUSTOMIZATION: text, "unrelated.yaml": "a: b\n"})
    assert image(parsed) == "registry.example.com/web:2" and not parsed.problems
    assert parsed.manifests[0].file == f"{KUSTOMIZATION}#Deployment/shop/web"
    assert set(parsed.inputs) == {*BASE, KUSTOMIZATION}
    assert parsed.files_behind(parsed.manifests[0]) == tuple(sorted({*BASE, KUSTOMIZATION}))


async def test_what_does_not_concern_a_folder_renders_nothing_again() -> None:
    files = {**BASE, KUSTOMIZATION: "resources: [../base]\n"}
    one = kustomize()
    first = await one.render(files_of(files, "c1"))
    again = await one.render(files_of({**files, "other/x.yaml": "a: b"}, "c2"), first)
    assert again.commit == "c2" and again.manifests[0] is first.manifests[0]
    changed = await one.render(files_of({**files, "base/web.yaml": deployment(replicas=3)}), first)
    assert changed.manifests[0].manifest["spec"]["replicas"] == 3


async def test_objects_whose_bytes_stay_are_not_parsed_again() -> None:
    files = {"o/a.yaml": deployment("a"), "o/b.yaml": deployment("b"), KUSTOMIZATION: "resources: [a.yaml, b.yaml]\n"}
    first = await rendered(files)
    after = await kustomize().render(files_of({**files, "o/b.yaml": deployment("b", replicas=9)}), first)
    assert after.manifests[0] is first.manifests[0] and after.manifests[1] is not first.manifests[1]


@pytest.mark.parametrize(
    "line, words",
    [
        (
            "resources: ['https://github.com/argoproj/argo-rollouts//manifests?ref=v1']",
            "leads out of this repository, and nothing is fetched",
        ),
        ("resources:\n  - github.com/argoproj/argo-rollouts", "leads out of this repository, and nothing is fetched"),
        ("components: ['git@example.com:a/b.git']", "leads out of this repository, and nothing is fetched"),
        ("resources: [../../../etc]", "'../../../etc' leads out of this repository; name something inside of it"),
        ("patches: [{path: /etc/passwd}]", "'/etc/passwd' leads out of this repository"),
        ("configMapGenerator:\n  - {name: a, files: [key=../../.ssh/id_rsa]}", "leads out of this repository"),
        ("resources: [missing.yaml]", "'missing.yaml' is not in this repository; commit it, or take it out of the kustomization"),
        ("resources: [../nowhere]", "'../nowhere' is not in this repository"),
        ("helmCharts: [{name: nginx}]", "helmCharts: charts are not inflated by kustomize here"),
        ("resources: [a: [", "o/kustomization.yaml:2: not YAML"),
        ("- a\n- list", "is no kustomization: one YAML mapping is expected"),
        ("resorces: [web.yaml]", 'kustomize: error: invalid Kustomization: json: unknown field "resorces"'),
        ("resources: [../o]", "kustomize: error: accumulating resources"),
        ("transformers: [plugin.yaml]", "kustomize: error:"),
    ],
)
async def test_what_cannot_be_rendered_is_one_problem_with_its_place(line: str, words: str) -> None:
    runs = "config.kubernetes.io/function: 'exec: {path: /bin/true}'"
    plugin = f"apiVersion: team.example.com/v1\nkind: Dateprinter\nmetadata:\n  name: x\n  annotations: {{{runs}}}\n"
    parsed = await rendered({KUSTOMIZATION: line + "\n", "o/plugin.yaml": plugin})
    assert words in str(parsed.problems[0]), parsed.problems
    assert parsed.problems[0].file == KUSTOMIZATION and parsed.unreadable and not parsed.manifests
    assert "/tmp" not in str(parsed.problems)


async def test_a_kustomization_without_a_base_of_its_own_folder_says_so() -> None:
    found = Snapshot("c", "", {}, absent=frozenset(f"o/{name}" for name in kustomize().markers))
    assert "is not in this repository" in str((await kustomize().render(found)).problems)


async def test_circles_and_deep_trees_end() -> None:
    circle = {"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
    assert closure(files_of(circle).files, (), "a").folders == {"a", "b"}
    assert (await rendered(circle, "a")).problems
    deep = {f"d{n}/kustomization.yaml": f"resources: [../d{n + 1}]\n" for n in range(400)}
    assert "more than 200 kustomizations" in str(closure(files_of(deep).files, (), "d0").problems)


async def test_bytes_that_are_no_text_cost_only_what_uses_them() -> None:
    parsed = await rendered({KUSTOMIZATION: b"resources: [\xff\xfe]\n"})
    assert parsed.problems[0].file == KUSTOMIZATION
    binary = {KUSTOMIZATION: "configMapGenerator: [{name: a, namespace: shop, files: [logo.png]}]\n", "o/logo.png": b"\x89PNG\xff"}
    assert (await rendered(binary)).manifests[0].manifest["binaryData"]["logo.png"]


async def test_a_program_that_never_ends_is_ended() -> None:
    with pytest.raises(ChildFailed, match=r"sleep took longer than 0\.2 s and was ended"):
        await output_of(ChildCall(("/bin/sleep", "1000"), {}, seconds=0.2))


async def test_a_program_sees_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    text = (await output_of(ChildCall(("/bin/sh", "-c", "/usr/bin/env; /bin/ls -a; echo at $HOME"), {"only.yaml": b""}))).decode()
    assert "hunter2" not in text and "only.yaml" in text
    assert "at /tmp/reconciler-render-" in text and "PATH=/nonexistent" in text


async def test_what_a_program_says_when_it_fails_is_one_line() -> None:
    with pytest.raises(ChildFailed) as failed:
        await output_of(ChildCall(("/bin/sh", "-c", "printf 'one\\ntwo\\033[31m' >&2; exit 3"), {}))
    assert str(failed.value) == "one two\\x1b[31m"
    with pytest.raises(ChildFailed, match="ended with status 4 and said nothing"):
        await output_of(ChildCall(("/bin/sh", "-c", "exit 4"), {}))


async def test_an_endless_output_is_cut() -> None:
    with pytest.raises(ChildFailed, match=r"signal|printed more than"):
        await output_of(ChildCall(("/bin/cat", "/dev/zero"), {}))


async def test_the_files_decide_who_renders(tmp_path: Path) -> None:
    found = renderer("", RenderOptions(path="o"))
    plain = await found.render(files_of({"o/web.yaml": deployment()}))
    made = await found.render(files_of({"o/web.yaml": deployment(), KUSTOMIZATION: "resources: [web.yaml]\nnamePrefix: x-\n"}))
    assert (plain.manifests[0].key[2], made.manifests[0].key[2]) == ("web", "x-web")


async def test_files_of_any_name_are_read_at_their_commit_and_links_are_not_followed(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    big = "x" * (LARGEST_FILE + 1)
    commit = origin.commit({"o/a.conf": "a = 1\n", "o/big.conf": big, KUSTOMIZATION: "resources: []\n", "elsewhere/b.txt": "b"})
    mirror = Mirror(tmp_path / "mirror", remote_of(origin.url), tmp_path / "home")
    try:
        await mirror.fetch("main")
        known = await snapshot(mirror.runner, commit, "o")
        found = await with_files(mirror.runner, known, ("o/a.conf", "o/big.conf", "elsewhere/b.txt", "elsewhere", "nowhere", "-x"))
        assert found.files["o/a.conf"] == b"a = 1\n" and found.files["elsewhere/b.txt"] == b"b"
        assert found.absent == {"o/big.conf", "elsewhere", "nowhere", "-x"}
        assert "1.0 MiB is too large" in str(found.problems)
    finally:
        mirror.close()


async def test_a_malformed_pair_of_a_secret_is_not_quoted_and_one_of_a_config_map_is() -> None:
    shown = str((await rendered({KUSTOMIZATION: "configMapGenerator: [{name: a, literals: [hunter2]}]\n"})).problems)
    hidden = str((await rendered({KUSTOMIZATION: "secretGenerator: [{name: a, literals: [hunter2]}]\n"})).problems)
    assert "hunter2" in shown and "hunter2" not in hidden
    assert "loading KV pairs: not shown, as a Secret is generated here" in hidden and KUSTOMIZATION in hidden


async def test_a_patch_that_cannot_be_read_is_not_quoted() -> None:
    text = "resources: [../base]\npatches:\n  - target: {name: web}\n    patch: '[{op: replace, path: /a, value: hunter2}]'\n"
    (problem,) = (await rendered({**BASE, KUSTOMIZATION: text})).problems
    assert problem.message.startswith("kustomize: error: trouble configuring builtin PatchTransformer") and "hunter2" not in str(problem)
