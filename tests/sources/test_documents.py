"""Files become manifests; a broken file costs only itself."""

import pytest

from reconciler.sources.documents import manifests_of, node_of, replace_files
from reconciler.yamledit.nodes import node_at
from tests.kit.manifests import deployment, parsed, snapshot

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"


def test_a_file_may_hold_several_documents_and_empty_ones() -> None:
    source = parsed(all=f"---\n# nothing\n---\n{deployment()}---\n{MAP}---\n")
    assert [(located.key, located.document) for located in source.manifests] == [
        (("Deployment", "shop", "web"), 1),
        (("ConfigMap", "", "a"), 2),
    ]
    assert not source.problems


def test_the_items_of_a_list_are_manifests_of_their_own() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n  - " + MAP.rstrip().replace("\n", "\n    ") + "\n"
    (located,) = parsed(all=text).manifests
    assert located.root == ("items", 0)
    node = node_at(node_of(parsed(all=text), located), ("data", "x"))
    assert node is not None
    assert node.line == 7


BROKEN = {
    "syntax": ("a: [", "not YAML"),
    "encoding": (b"a: \xe9", "UTF-8"),
    "repeated key": (MAP + "kind: Secret\n", "twice"),
    "no kind": ("apiVersion: v1\nmetadata: {name: a}\n", "without kind"),
    "no version": ("kind: ConfigMap\nmetadata: {name: a}\n", "without apiVersion"),
    "no name": ("apiVersion: v1\nkind: ConfigMap\n", "without metadata.name"),
    "bare words": ("not a manifest\n", "not a mapping"),
    "an item that is no object": ("apiVersion: v1\nkind: List\nitems: [1]\n", "not a mapping"),
    "a template": ("{{ if x }}\nkind: x\n{{ end }}\n", "not YAML"),
    "number as kind": ("apiVersion: v1\nkind: 1\nmetadata: {name: a}\n", "without kind"),
    "spec": ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: text\n", "whose spec is not a mapping"),
    "labels": ("apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: [x]}\n", "whose metadata.labels is not a mapping"),
    "control character": ("a: \x01\n", "not YAML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_a_problem_and_the_others_are_read(name: str) -> None:
    content, message = BROKEN[name]
    source = parsed(good=deployment(), broken=content)
    assert [located.file for located in source.manifests] == ["good.yaml"]
    (problem,) = source.problems
    assert problem.file == "broken.yaml"
    assert message in problem.message
    assert problem.remedy


def test_an_object_in_two_files_is_a_problem_that_names_both() -> None:
    (problem,) = parsed(one=MAP, two=MAP).problems
    assert problem.file == "two.yaml"
    assert "one.yaml" in problem.message


def test_an_object_in_two_files_is_contested_and_its_neighbour_is_not() -> None:
    source = parsed(one=MAP, two=MAP, web=deployment())
    assert [source.contested(located) for located in source.manifests] == [True, True, False]


NO_MANIFESTS = {
    "renovate.json": '{"extends": ["config:base"]}',
    "tsconfig.json": '{ // with comments\n "compilerOptions": {},}',
    ".gitlab-ci.yml": "stages: [build]\nbuild: {script: [make]}\n",
    ".drone.yml": "kind: pipeline\ntype: docker\nname: default\n",
    "values.yaml": "image: {tag: '1.0'}\n",
    "playbook.yml": "- hosts: all\n",
}


@pytest.mark.parametrize("name", NO_MANIFESTS)
def test_a_file_that_is_no_manifest_is_said_and_hides_nothing(name: str) -> None:
    source = manifests_of(snapshot({"web.yaml": deployment(), name: NO_MANIFESTS[name]}))
    assert [located.file for located in source.manifests] == ["web.yaml"]
    assert (source.problems, source.unreadable, source.withheld) == ((), False, ())
    assert [note.file for note in source.notes] == [name]


def test_a_document_that_is_no_manifest_beside_one_is_a_problem() -> None:
    source = parsed(web=f"{deployment()}---\nreplicas: 3\n")
    assert source.unreadable and "without apiVersion" in source.problems[0].message


def test_objects_that_name_no_namespace_get_that_of_the_source() -> None:
    files = {"a.yaml": MAP, "n.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", "w.yaml": deployment()}
    source = manifests_of(snapshot(files), None, "team")
    assert {located.key for located in source.manifests} == {
        ("ConfigMap", "team", "a"),
        ("Namespace", "", "x"),
        ("Deployment", "shop", "web"),
    }
    edited = replace_files(source, {"a.yaml": MAP.encode()})
    assert edited.find("ConfigMap", "team", "a") is not None


def test_a_kind_of_another_group_is_known_by_kind_and_group() -> None:
    kruise = "apiVersion: rollouts.kruise.io/v1beta1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\nspec: {}\n"
    source = parsed(kruise=kruise)
    assert source.find("Rollout", "shop", "web") is None
    assert source.manifests[0].key[0] == "Rollout.rollouts.kruise.io"


def test_other_files_are_left_alone() -> None:
    assert not manifests_of(snapshot({"README.md": "a: [", "logo.png": b"\x89"})).problems


def test_an_unchanged_file_is_not_parsed_again() -> None:
    before = parsed(web=deployment(), map=MAP)
    after = manifests_of(snapshot({"web.yaml": deployment(), "map.yaml": MAP.replace("1", "2")}), before)
    assert after.files["web.yaml"] is before.files["web.yaml"]
    assert after.files["map.yaml"] is not before.files["map.yaml"]


def test_an_unchanged_file_is_parsed_again_once_the_namespace_of_the_source_changes() -> None:
    files = snapshot({"a.yaml": MAP})
    moved = manifests_of(files, manifests_of(files, None, "one"), "two")
    assert [located.key for located in moved.manifests] == [("ConfigMap", "two", "a")]


def test_replaced_files_are_what_the_source_would_be() -> None:
    edited = replace_files(parsed(web=deployment(), map=MAP), {"map.yaml": MAP.replace("1", "2").encode()})
    assert edited.find("ConfigMap", "", "a").manifest["data"] == {"x": "2"}  # type: ignore[union-attr]
    assert edited.find("Deployment", "shop", "web")


def test_a_name_that_the_server_shall_make_up_is_one_and_none_at_all_is_a_problem() -> None:
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {%s}\nspec: {}\n"
    made_up = parsed(job=job % "generateName: seed-")
    assert not made_up.problems and made_up.manifests[0].key[2] == ""
    assert "a Job without metadata.name" in parsed(job=job % "labels: {a: b}").problems[0].message


def test_json_that_cannot_be_read_is_a_problem_only_where_it_may_be_a_manifest() -> None:
    perhaps, settings = '{"apiVersion": "v1", "kind": "ConfigMap", {', '{"extends": [{'
    source = manifests_of(snapshot({"perhaps.json": perhaps, "renovate.json": settings, "other.yaml": settings}))
    assert [problem.file for problem in source.problems] == ["other.yaml", "perhaps.json"]
    assert [note.file for note in source.notes] == ["renovate.json"]


def test_only_a_list_is_taken_apart_and_an_object_that_names_no_namespace_stays_as_it_is() -> None:
    odd = "apiVersion: example.com/v1\nkind: Basket\nmetadata: {name: b}\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}]\n"
    assert [located.key[0] for located in parsed(odd=odd).manifests] == ["Basket"]
    assert parsed(a=MAP).manifests[0].manifest["metadata"] == {"name": "a"}


def test_a_name_is_doubled_only_where_it_stands_for_two_manifests() -> None:
    assert parsed(a=MAP, b=MAP).doubled
    assert not parsed(a=MAP, b=MAP.replace("name: a", "name: b")).doubled
