"""Encrypted files of a source that has keys: Secrets and nothing else come of them, and nobody is shown a value."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.git.objects import Snapshot
from reconciler.renderers.registry import renderer
from reconciler.sources.changes import changes
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Direct, Impossible, Outcome, restore_edits
from reconciler.sources.model import WorkloadId
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.rewrites import Rendering, rewrites
from reconciler.sources.sealed import quotes
from reconciler.sources.settings import HelmSettings, SopsSettings
from tests.kit.helm import toy_helm
from tests.kit.manifests import deployment
from tests.kit.manifests import snapshot as files_of
from tests.kit.sops import Keyring, keyring

VALUE, OTHER = "hunter2-hunter2", "correct-horse"
READS = "          envFrom: [{secretRef: {name: s}}]\n"
WEB = WorkloadId("Deployment", "shop", "web")
Texts = Mapping[str, str | bytes]


def secret(value: str = VALUE, more: str = "") -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: shop}}\nstringData: {{password: {value}}}\n{more}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return keyring("toy", tmp_path_factory.mktemp("sops") / "mine")


@pytest.fixture
def options(keys: Keyring) -> RenderOptions:
    return RenderOptions(path="a", sops=SopsSettings(program=keys.program, age_key_file=str(keys.key)))


async def rendered(options: RenderOptions, files: Texts, previous: Parsed | None = None) -> Parsed:
    made, found = renderer("", options), files_of(files)
    return await made.render(Snapshot("c", "", found.files, absent=frozenset(made.missing(found))), previous)


def said(parsed: Parsed) -> str:
    return "\n".join(map(str, (*parsed.problems, *parsed.notes)))


def value_of(parsed: Parsed) -> Any:
    located = parsed.find("Secret", "shop", "s")
    assert located is not None, said(parsed)
    return located.manifest.get("stringData") or located.manifest["data"]


async def test_a_secret_is_read_and_the_bytes_of_git_stay_what_they_are(options: RenderOptions, keys: Keyring) -> None:
    sealed = keys.sealed("s.yaml", secret(more=f"---\n{deployment()}"))
    parsed = await rendered(options, {"a/s.yaml": sealed, "a/api.yaml": deployment("api")})
    assert value_of(parsed) == {"password": VALUE} and not parsed.problems
    assert {located.key[2] for located in parsed.manifests} == {"s", "web", "api"}
    assert parsed.files["a/s.yaml"].content == sealed.encode() and parsed.withheld == ()
    again = await rendered(options, {"a/s.yaml": sealed, "a/api.yaml": deployment("api", "x:2")}, parsed)
    assert again.files["a/s.yaml"] is parsed.files["a/s.yaml"]


@pytest.mark.parametrize(
    "text, regex, words",
    [
        (secret().replace("kind: Secret", "kind: ConfigMap").replace("stringData", "data"), "^data$", "data.password of the ConfigMap"),
        (secret(), "", "apiVersion of an object is encrypted"),
        (secret("x", "type: Opaque\n"), "^type$", "type of the Secret is encrypted"),
    ],
)
async def test_only_the_data_of_secrets_may_be_encrypted(options: RenderOptions, keys: Keyring, text: str, regex: str, words: str) -> None:
    parsed = await rendered(options, {"a/s.yaml": keys.sealed("s.yaml", text, regex), "a/web.yaml": deployment()})
    (problem,) = parsed.problems
    assert words in problem.message and problem.file == "a/s.yaml" and problem.line
    assert VALUE not in said(parsed) and [located.key[2] for located in parsed.manifests] == ["web"]
    assert parsed.withheld == ("a/s.yaml",) and not parsed.unreadable


async def test_each_failure_is_one_problem_of_its_file_and_the_rest_goes_on(options: RenderOptions, keys: Keyring, tmp_path: Path) -> None:
    sealed = keys.sealed("s.yaml", secret())
    (tmp_path / "loud").write_text(f"#!/bin/sh\necho {VALUE} >&2; exit 7\n")
    (tmp_path / "loud").chmod(0o755)
    (tmp_path / "wrong").write_text("AGE-SECRET-KEY-OTHER\n")
    (tmp_path / "empty").write_text("")
    assert options.sops is not None
    cases = [
        ({"age_key_file": str(tmp_path / "none")}, "none cannot be read"),
        ({"age_key_file": str(tmp_path / "empty")}, "is empty"),
        ({"age_key_file": str(tmp_path / "wrong")}, "no key of `sops:` opens it"),
        ({"program": "no-such-sops"}, "no-such-sops is not on PATH"),
        ({"program": str(tmp_path / "loud")}, "status 7; its words are not shown"),
    ]
    for changed, words in cases:
        parsed = await rendered(replace(options, sops=replace(options.sops, **changed)), {"a/s.yaml": sealed, "a/web.yaml": deployment()})
        (problem,) = parsed.problems
        assert words in problem.message and problem.file == "a/s.yaml" and problem.tool == "SOPS", problem
        assert VALUE not in said(parsed) and [located.key[2] for located in parsed.manifests] == ["web"]
        assert parsed.unsettled and parsed.withheld == ("a/s.yaml",) and not parsed.unreadable
    parsed = await rendered(options, {"a/s.yaml": sealed.replace("namespace: shop", "namespace: bank"), "a/web.yaml": deployment()})
    assert "its MAC does not match" in said(parsed) and not parsed.unsettled and len(parsed.manifests) == 1


KUSTOMIZED = {
    "a/kustomization.yaml": "namespace: shop\nresources: [web.yaml]\nsecretGenerator:\n  - {name: s, envs: [s.env]}\n"
    "generatorOptions: {disableNameSuffixHash: true}\n",
    "a/web.yaml": deployment(),
}


async def test_a_generated_secret_is_made_and_a_config_map_of_it_is_withheld(options: RenderOptions, keys: Keyring) -> None:
    files = {**KUSTOMIZED, "a/s.env": keys.sealed("s.env", f"PASSWORD={VALUE}\n", "")}
    parsed = await rendered(options, files)
    assert set(value_of(parsed)) == {"PASSWORD"} and not parsed.problems
    assert parsed.inputs["a/s.env"] == str(files["a/s.env"]).encode() and VALUE.encode() not in b"".join(parsed.inputs.values())
    leaking = {**files, "a/kustomization.yaml": f"{KUSTOMIZED['a/kustomization.yaml']}configMapGenerator: [{{name: c, envs: [s.env]}}]\n"}
    parsed = await rendered(options, leaking)
    (problem,) = parsed.problems
    assert "a ConfigMap that is made here holds a value which SOPS keeps secret" in problem.message and VALUE not in str(problem)
    assert {located.key[0] for located in parsed.manifests} == {"Secret", "Deployment"}
    assert parsed.withheld == ("a/kustomization.yaml#ConfigMap/shop/c",) and not parsed.unreadable


async def test_what_the_renderer_complains_about_shows_nothing_of_it(options: RenderOptions, keys: Keyring) -> None:
    sealed = keys.sealed("patch.yaml", f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {VALUE}}}\n", "name")
    kustomization = f"{KUSTOMIZED['a/kustomization.yaml']}patches: [{{path: patch.yaml}}]\n"
    parsed = await rendered(options, {**KUSTOMIZED, "a/s.env": "A=b\n", "a/patch.yaml": sealed, "a/kustomization.yaml": kustomization})
    assert parsed.unreadable and "not shown" in said(parsed) and not quotes(said(parsed), {VALUE})


async def test_what_a_template_makes_of_a_value_is_not_quoted_where_it_is_no_manifest(
    options: RenderOptions, keys: Keyring, tmp_path: Path
) -> None:
    charted = replace(options, helm=HelmSettings(program=toy_helm(tmp_path), value_files=("secrets.yaml",)))
    files = {
        "a/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "a/secrets.yaml": keys.sealed("secrets.yaml", f"kind: {VALUE}\n", ""),
        "a/templates/x.yaml": "apiVersion: v1\nkind: '{{ .Values.kind }}'\nmetadata: {labels: {}}\n",
    }
    parsed = await rendered(charted, files)
    assert "not shown" in said(parsed) and not quotes(said(parsed), {VALUE}) and parsed.unreadable


async def test_values_of_a_chart_reach_secrets_and_nothing_else(options: RenderOptions, keys: Keyring, tmp_path: Path) -> None:
    charted = replace(options, helm=HelmSettings(program=toy_helm(tmp_path), value_files=("secrets.yaml",)))
    files = {
        "a/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "a/secrets.yaml": keys.sealed("secrets.yaml", f"db: {{password: {VALUE}}}\n", ""),
        "a/templates/s.yaml": secret("'{{ .Values.db.password }}'"),
        "a/templates/web.yaml": deployment(extra="          args: ['postgres://me:{{ .Values.db.password }}@db']\n"),
        "a/templates/api.yaml": deployment("api"),
    }
    parsed = await rendered(charted, files)
    assert value_of(parsed) == {"password": VALUE} and VALUE not in said(parsed)
    assert {located.key[2] for located in parsed.manifests} == {"s", "api"}
    (problem,) = parsed.problems
    assert problem.file == "a/templates/web.yaml" and "a Deployment that is made here" in problem.message


async def test_nothing_decrypted_is_left_on_disk(
    options: RenderOptions, keys: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await rendered(options, {**KUSTOMIZED, "a/s.env": keys.sealed("s.env", f"PASSWORD={VALUE}\n", "")})
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_an_encrypted_file_comes_back_whole_and_only_where_nothing_is_new_in_it(options: RenderOptions, keys: Keyring) -> None:
    def files(value: str, note: str = "x") -> Texts:
        return {"a/s.yaml": keys.sealed("s.yaml", secret(value, f"type: {note}\n")), "a/web.yaml": deployment(extra=READS)}

    good, bad, newer = [await rendered(options, files(*words)) for words in ((VALUE,), (OTHER,), (OTHER, "y"))]
    (change,) = changes(good, bad)
    assert not quotes(repr(change), {VALUE, OTHER}) and "hidden" in repr(change)
    outcome = restore_edits(good, bad, bad, WEB)
    assert isinstance(outcome, Direct) and outcome.edit.files == {"a/s.yaml": good.files["a/s.yaml"].content}
    assert not quotes(repr(outcome.edit.fields), {VALUE, OTHER}) and outcome.edit.fields
    refused = restore_edits(good, bad, newer, WEB)
    assert isinstance(refused, Impossible) and "holds another change since" in refused.detail
    rotated = await rendered(options, {**files(VALUE), "a/s.yaml": str(files(VALUE)["a/s.yaml"]).replace("sops:", "sops:\n  note: new")})
    assert rotated.files["a/s.yaml"].content != good.files["a/s.yaml"].content and changes(good, rotated) == ()
    clear = await rendered(options, {**files(OTHER), "a/s.yaml": secret(OTHER)})
    crossing = restore_edits(good, clear, clear, WEB)
    assert isinstance(crossing, Impossible) and "put its values back with `sops`" in crossing.detail


async def test_the_same_through_a_renderer(options: RenderOptions, keys: Keyring) -> None:
    reading = {**KUSTOMIZED, "a/web.yaml": deployment(extra=READS)}
    versions = [{**reading, "a/s.env": keys.sealed("s.env", f"PASSWORD={value}\n", "")} for value in (VALUE, OTHER)]
    good, bad = [await rendered(options, files) for files in versions]
    questions = rewrites(good, bad, bad, WEB)
    answer: Any = None
    outcome: Outcome | None = None
    while outcome is None:
        try:
            question = questions.send(answer)
        except StopIteration as end:
            outcome = end.value
            break
        answer = await rendered(options, {**versions[1], **question.files}) if isinstance(question, Rendering) else ()
    assert isinstance(outcome, Direct) and outcome.edit.files == {"a/s.env": str(versions[0]["a/s.env"]).encode()}
    assert not quotes(repr(outcome.edit.fields), {VALUE, OTHER})


async def test_a_key_that_comes_later_is_used_without_another_commit(options: RenderOptions, keys: Keyring, tmp_path: Path) -> None:
    assert options.sops is not None
    made = renderer("", replace(options, sops=replace(options.sops, age_key_file=str(tmp_path / "key"))))
    found = files_of({"a/s.yaml": keys.sealed("s.yaml", secret())})
    assert (await made.render(found)).unsettled
    await asyncio.to_thread((tmp_path / "key").write_text, keys.key.read_text())
    assert value_of(await made.render(found)) == {"password": VALUE}


@pytest.mark.parametrize(
    "text, found",
    [("x hunter2 y", True), ("aHVudGVyMi1odW50ZXIy", True), ("unte", False), ("nothing here", False)],
)
def test_a_part_of_a_secret_is_a_quote(text: str, found: bool) -> None:
    assert quotes(text, {VALUE}) is found
