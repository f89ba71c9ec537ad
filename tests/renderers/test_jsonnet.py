"""What jsonnet files give, what they may read, and what is said of those that give nothing."""

import json
from collections.abc import Mapping

import pytest

from reconciler.git.objects import Hides, Snapshot
from reconciler.renderers import jsonnet
from reconciler.renderers.registry import renderer
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.settings import JsonnetSettings
from tests.kit.jsonnet import WITH_JSONNET
from tests.kit.manifests import deployment
from tests.kit.manifests import snapshot as files_of

pytestmark = WITH_JSONNET
Texts = Mapping[str, str | bytes]
MAIN = "a/main.jsonnet"


def config(name: str = "settings", value: str = "'1'") -> str:
    return f"{{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {{ name: '{name}', namespace: 'shop' }}, data: {{ x: {value} }} }}"


async def rendered(files: Texts, options: RenderOptions | None = None, name: str = "") -> Parsed:
    """As a source gives it: it has the manifests of its folder, and whatever else is asked for as far as it is there."""
    made, whole = renderer(name, options or RenderOptions(path="a")), files_of(files)
    found = Snapshot("c", "", {file: text for file, text in whole.files.items() if file.startswith("a/") and "." in file})
    for _ in range(50):
        asked = made.missing(found)
        if not asked:
            break
        there = {file: whole.files[file] for file in asked if file in whole.files}
        found = Snapshot("c", "", {**found.files, **there}, absent=found.absent | set(asked) - there.keys())
    assert not made.missing(found)
    return await made.render(found)


def value_of(parsed: Parsed, name: str = "settings") -> str:
    located = parsed.find("ConfigMap", "shop", name)
    assert located is not None
    return str(located.manifest["data"]["x"])


@pytest.mark.parametrize(
    "text, names",
    [
        (config(), ["settings"]),
        (f"[{config('one')}, [{config('two')}]]", ["one", "two"]),
        (f"{{ apiVersion: 'v1', kind: 'List', items: [{config('one')}] }}", ["one"]),
        ("null", []),
    ],
)
async def test_a_file_gives_one_manifest_or_a_list_of_them(text: str, names: list[str]) -> None:
    parsed = await rendered({MAIN: text})
    assert [located.key[2] for located in parsed.manifests] == names and not parsed.problems
    assert all(located.file.startswith(f"{MAIN}#") for located in parsed.manifests)


async def test_manifests_beside_it_are_read_and_libraries_are_only_imported() -> None:
    files = {
        MAIN: f"local lib = import 'lib.libsonnet'; local k = import 'k/main.libsonnet'; {config(value='lib.x + k.x')}",
        "a/lib.libsonnet": "{ x: 'a' }",
        "a/vendor/k/main.libsonnet": "{ x: importstr '../../../shared/text' }",
        "a/vendor/k/example.jsonnet": config("example"),
        "shared/text": "b",
        "a/web.yaml": deployment(),
    }
    parsed = await rendered(files)
    assert {located.key[2] for located in parsed.manifests} == {"settings", "web"} and value_of(parsed) == "ab"
    assert set(parsed.inputs) == files.keys() - {"a/vendor/k/example.jsonnet"} and not parsed.problems


async def test_what_the_source_tells_it_reaches_it() -> None:
    text = "function(tag, count) " + config(value="std.extVar('zone') + std.extVar('size') + tag + count")
    told = JsonnetSettings(
        variables={"zone": "z"}, variable_code={"size": "1 + 1"}, arguments={"tag": "t"}, argument_code={"count": "[3][0]"}
    )
    assert value_of(await rendered({MAIN: text}, RenderOptions(path="a", jsonnet=told))) == "z2t3"


async def test_libraries_are_where_the_source_says() -> None:
    told = RenderOptions(path="a", jsonnet=JsonnetSettings(libraries=("/shared/lib",)))
    assert value_of(await rendered({MAIN: config(value="import 'x.libsonnet'"), "shared/lib/x.libsonnet": "'7'"}, told)) == "7"


@pytest.mark.parametrize("place", ["/etc/hostname", "../../../../../../etc/hostname", "../../asked.json", "nothing.libsonnet"])
async def test_an_import_that_leads_out_of_the_repository_is_refused_at_its_place(place: str) -> None:
    parsed = await rendered({MAIN: "\n" + config(value=f"importstr '{place}'"), "a/web.yaml": deployment()})
    (problem,) = parsed.problems
    assert (problem.file, problem.line) == (MAIN, 2) and "is not in this repository" in problem.message
    assert [located.key[2] for located in parsed.manifests] == ["web"]


@pytest.mark.parametrize(
    "text, words, line",
    [
        ("{\n  a: error 'no such zone'\n}", "no such zone", 2),
        ("{\n  a: 1,,\n}", "STATIC ERROR", 2),
        ("local f(x) = f(x) + 1; f(1)", "max stack frames exceeded", 1),
        ("\n\n{ a: std.extVar('zone') }", "undefined external variable: zone", 3),
        ("import 'deeper.libsonnet'", "deep", 1),
        (b"\xff\xfe", "can't decode", 0),
    ],
)
async def test_a_file_that_cannot_be_evaluated_costs_only_itself(text: str | bytes, words: str, line: int) -> None:
    parsed = await rendered({MAIN: text, "a/deeper.libsonnet": "error 'deep'", "a/good.jsonnet": config(), "a/web.yaml": deployment()})
    (problem,) = parsed.problems
    assert words in problem.message and problem.line == line and problem.remedy == f"correct it: {MAIN} needs it"
    assert problem.hides is Hides.ANYTHING and parsed.unreadable, "nothing can be said to have left Git"
    assert {located.key[2] for located in parsed.manifests} == {"settings", "web"}


@pytest.mark.parametrize("text", ["{ a: 1 }", "'words'", "[{ kind: 'ConfigMap' }, 3]", "{ one: { kind: 'ConfigMap' } }"])
async def test_what_is_no_manifest_is_said(text: str) -> None:
    parsed = await rendered({MAIN: text})
    (problem,) = parsed.problems
    assert problem.file == MAIN and "no manifest" in problem.message
    assert parsed.unreadable, "what it gave before has not left Git"


async def test_a_manifest_without_a_name_is_named_by_its_file() -> None:
    (problem,) = (await rendered({MAIN: "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }"})).problems
    assert problem.file == MAIN and "without metadata.name" in problem.message


async def test_an_excluded_file_is_not_evaluated_but_may_be_imported() -> None:
    files = {MAIN: config(value="import 'part.jsonnet'"), "a/part.jsonnet": "'5'"}
    assert (await rendered(files)).problems
    parsed = await rendered(files, RenderOptions(path="a", exclude=("part.jsonnet",)))
    assert value_of(parsed) == "5" and not parsed.problems


async def test_where_plain_manifests_are_asked_for_jsonnet_is_said_to_be_left_out() -> None:
    parsed = await rendered({MAIN: config(), "a/web.yaml": deployment()}, name="plain")
    (problem,) = parsed.problems
    assert problem.file == MAIN and "only plain manifests are read" in problem.message and problem.hides is Hides.ITSELF
    assert parsed.withheld == (MAIN,)


async def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonnet, "LIBRARY", "not_installed_here")
    for name, unreadable in (("", False), ("jsonnet", True)):
        parsed = await rendered({MAIN: config(), "a/web.yaml": deployment()}, name=name)
        (problem,) = parsed.problems
        assert "reconciler[jsonnet]" in str(problem) and parsed.unreadable is unreadable
        assert [located.key[2] for located in parsed.manifests] == ["web"]


async def test_a_file_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    call = jsonnet.ChildCall
    monkeypatch.setattr(jsonnet, "ChildCall", lambda *words: call(*words, seconds=2.0))
    (problem,) = (await rendered({MAIN: "std.foldl(function(a, b) a + b, std.range(0, 100000000), 0)"})).problems
    assert "was ended" in problem.message or "MiB" in problem.message or "signal" in problem.message


async def test_what_does_not_concern_a_folder_evaluates_nothing_again() -> None:
    one, files = renderer("jsonnet", RenderOptions(path="a")), files_of({MAIN: config()})
    first = await one.render(files)
    again = await one.render(files_of({MAIN: config(), "b/other.txt": "x"}, "c2"), first)
    assert again.commit == "c2" and again.manifests[0] is first.manifests[0]
    changed = await one.render(files_of({MAIN: config(value="'2'")}), first)
    assert value_of(changed) == "2"


async def test_the_same_words_of_two_files_are_two_claims_to_one_object() -> None:
    (problem,) = (await rendered({MAIN: config(), "a/zwei.jsonnet": config()})).problems
    assert "is also in" in problem.message


async def test_the_evaluator_gets_no_variable_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    parsed = await rendered({MAIN: config(value="std.manifestJson(std.extVar('SECRET'))")})
    assert "undefined external variable" in parsed.problems[0].message
    assert "hunter2" not in json.dumps([str(problem) for problem in parsed.problems])
