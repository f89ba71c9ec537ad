"""The restore edit: exactly the rejected values go back, other people's changes stay, and what is superseded is left alone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.git.objects import SourceProblem
from reconciler.sources.documents import Parsed, replace_files
from reconciler.sources.edits import (
    Caution,
    Direct,
    Impossible,
    Obstacle,
    Outcome,
    Overtaken,
    PreviousManifest,
    ProposedEdit,
    Superseded,
    Waiting,
    restore_edits,
    words,
)
from reconciler.sources.model import WorkloadId
from reconciler.sources.templates import content_of, identity, referenced_config, workloads
from tests.kit.manifests import deployment, parsed

WEB = WorkloadId("Deployment", "shop", "web")
GOOD, BAD = "registry.example.com/web:1.0", "registry.example.com/web:1.1"
ENV = "          env:\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, namespace: shop}}\ndata:\n  mode: {mode}\n"
FROM_CONFIG = "          envFrom:\n            - configMapRef: {name: web}\n"


def restored(proven: str, rejected: str, tip: str | None = None) -> bytes:
    """The file after a restore that may be pushed directly, which then asks for the proven version."""
    outcome = restore_edits(parsed(web=proven), parsed(web=rejected), parsed(web=tip or rejected), WEB)
    assert isinstance(outcome, Direct), outcome
    return outcome.edit.files["web.yaml"]


def asks_for(source: Parsed) -> str:
    return identity(source, workloads(source)[WEB])


def test_the_image_goes_back() -> None:
    good = deployment(image=GOOD)
    assert restored(good, deployment(image=BAD)) == good.encode()


def test_every_value_of_the_template_goes_back() -> None:
    good = deployment(image=GOOD, extra=f"{ENV}            - {{name: A, value: '1'}}\n")
    bad = deployment(image=BAD, extra=f"{ENV}            - {{name: A, value: '2'}}\n")
    assert restored(good, bad) == good.encode()


def test_changes_of_other_people_in_the_same_file_stay() -> None:
    good, bad = deployment(image=GOOD), deployment(image=BAD)
    tip = "# a new comment\n" + bad.replace("replicas: 2", "replicas:   7")
    assert restored(good, bad, tip) == tip.replace(BAD, GOOD).encode()


def test_the_edit_says_what_moves_where_on_the_branch() -> None:
    tip = parsed(web="# a line more\n" + deployment(image=BAD))
    outcome = restore_edits(parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD)), tip, WEB)
    assert isinstance(outcome, Direct)
    assert [(field.old, field.new, str(field.location)) for field in outcome.edit.fields] == [
        (BAD, GOOD, "web.yaml:17 spec.template.spec.containers[0].image")
    ]


def test_a_reformatted_file_is_edited_in_its_new_form() -> None:
    tip = deployment(image=f'"{BAD}"   # new').replace("\n", "\r\n")
    assert restored(deployment(image=GOOD), deployment(image=BAD), tip) == tip.replace(BAD, GOOD).encode()


def test_an_added_variable_is_taken_out() -> None:
    good = deployment(extra=f"{ENV}            - name: A\n              value: a\n")
    bad = deployment(extra=f"{ENV}            - name: A\n              value: a\n            - name: B\n              value: b\n")
    assert restored(good, bad) == good.encode()


def test_a_removed_variable_is_put_back_where_it_was() -> None:
    good = deployment(extra=f"{ENV}            - name: A\n              value: a\n            - name: B\n              value: b\n")
    bad = deployment(extra=f"{ENV}            - name: B\n              value: b\n")
    assert restored(good, bad) == good.encode()


def test_a_variable_replaced_by_another_is_put_back() -> None:
    good, bad = deployment(extra=f"{ENV}            - name: A\n"), deployment(extra=f"{ENV}            - name: B\n")
    assert restored(good, bad) == good.encode()


def test_a_whole_block_that_was_added_is_taken_out() -> None:
    good = deployment(extra="          workingDir: /srv\n")
    bad = deployment(
        extra="          workingDir: /srv\n          readinessProbe:\n            httpGet:\n              path: /\n              port: 80\n"
    )
    assert restored(good, bad) == good.encode()


def test_a_list_without_indentation_is_taken_out_whole() -> None:
    bad = deployment(extra="          env:\n          - name: A\n          - name: B\n          workingDir: /srv\n")
    assert restored(deployment(extra="          workingDir: /srv\n"), bad) == deployment(extra="          workingDir: /srv\n").encode()


def test_a_block_is_put_back_at_the_indentation_of_the_branch() -> None:
    good = deployment(
        extra=f"{ENV}            - name: A\n              value: |\n                x\n\n                y\n            - name: B\n"
    )
    bad = deployment(extra=f"{ENV}            - name: B\n")
    tip = bad.replace("            - name: B", "              - name: B")
    wanted = good.replace(good[good.index("            - name: A") :], "").encode()
    assert restored(good, bad, tip).startswith(wanted + b"              - name: A\n                value: |\n                  x\n")


def test_an_entry_on_one_line_with_others_goes_back_with_its_line() -> None:
    good, bad = deployment(), deployment().replace("labels: {app: web}\n    spec", "labels: {app: web, x: y}\n    spec")
    assert restored(good, bad) == good.encode()


def test_a_type_goes_back_with_the_text() -> None:
    good = deployment(extra=f"{ENV}            - name: A\n              value: 'true'\n")
    bad = deployment(extra=f"{ENV}            - name: A\n              value: maybe\n")
    assert restored(good, bad).endswith(b"value: 'true'\n")


def test_a_number_goes_back_as_a_number() -> None:
    good = deployment(extra="          ports:\n            - containerPort: 80\n")
    bad = deployment(extra="          ports:\n            - containerPort: 81\n")
    assert restored(good, bad) == good.encode()


def test_referenced_config_goes_back_with_the_template() -> None:
    good, bad = (deployment(image=image, extra=FROM_CONFIG) for image in (GOOD, BAD))
    one, two = (CONFIG.format(mode=mode) for mode in ("fast", "broken"))
    outcome = restore_edits(parsed(web=good, config=one), parsed(web=bad, config=two), parsed(web=bad, config=two), WEB)
    assert isinstance(outcome, Direct)
    assert outcome.edit.files == {"config.yaml": one.encode(), "web.yaml": good.encode()}


def test_a_config_file_over_many_lines_goes_back() -> None:
    web = deployment(extra=FROM_CONFIG)
    one = CONFIG.format(mode="|\n    a = 1\n    b = 2\n") + "  other: x\n"
    two = CONFIG.format(mode="|\n    a = 1\n    c = 3\n    d = 4\n") + "  other: x\n"
    outcome = restore_edits(parsed(web=web, config=one), parsed(web=web, config=two), parsed(web=web, config=two), WEB)
    assert isinstance(outcome, Direct)
    assert outcome.edit.files == {"config.yaml": one.encode()}


def test_config_shared_with_another_workload_needs_a_person() -> None:
    files = {"web": deployment(extra=FROM_CONFIG), "api": deployment(name="api", extra=FROM_CONFIG)}
    one, two = (parsed(**files, config=CONFIG.format(mode=mode)) for mode in ("fast", "broken"))
    outcome = restore_edits(one, two, two, WEB)
    assert isinstance(outcome, ProposedEdit)
    assert (outcome.caution, outcome.detail) == (Caution.SHARED, "Deployment shop/api")


def test_the_values_of_secrets_are_not_told() -> None:
    reference = "          envFrom:\n            - secretRef: {name: web}\n"
    one, two = (CONFIG.replace("ConfigMap", "Secret").format(mode=mode) for mode in ("b2xk", "bmV3"))
    web = deployment(extra=reference)
    outcome = restore_edits(parsed(web=web, config=one), parsed(web=web, config=two), parsed(web=web, config=two), WEB)
    assert isinstance(outcome, Direct)
    assert {(field.old, field.new) for field in outcome.edit.fields} == {("(hidden)", "(hidden)")}


def test_a_newer_value_on_the_branch_wins() -> None:
    outcome = restore_edits(
        parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD)), parsed(web=deployment(image=BAD + "-fix")), WEB
    )
    assert isinstance(outcome, Superseded)
    assert outcome.how is Overtaken.CHANGED
    assert words(outcome) == "web.yaml: spec.template.spec.containers.0.image: the branch holds another value"


def test_a_newer_value_of_config_is_told_with_its_place() -> None:
    web = deployment(extra=FROM_CONFIG)
    good, bad, tip = (parsed(web=web, config=CONFIG.format(mode=mode)) for mode in ("fast", "broken", "mended"))
    assert restore_edits(good, bad, tip, WEB) == Superseded(Overtaken.CHANGED, "config.yaml: data.mode")


def test_one_newer_value_supersedes_the_whole_edit() -> None:
    good, bad, tip = (
        deployment(image=image, extra=f"{ENV}            - {{name: A, value: '{value}'}}\n")
        for image, value in ((GOOD, "1"), (BAD, "2"), (BAD, "3"))
    )
    assert isinstance(restore_edits(parsed(web=good), parsed(web=bad), parsed(web=tip), WEB), Superseded)


@pytest.mark.parametrize(("good", "bad", "tip"), [("", "1", "2"), ("1", "", "2")], ids=["added", "removed"])
def test_a_variable_that_somebody_set_anew_supersedes_the_edit(good: str, bad: str, tip: str) -> None:
    def source(value: str) -> Parsed:
        added = f"            - {{name: B, value: '{value}'}}\n" if value else ""
        return parsed(web=deployment(extra=f"{ENV}            - {{name: A}}\n{added}"))

    assert isinstance(restore_edits(source(good), source(bad), source(tip), WEB), Superseded)


def test_a_branch_that_is_already_restored_needs_nothing() -> None:
    good, bad = parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD))
    outcome = restore_edits(good, bad, good, WEB)
    assert isinstance(outcome, Superseded)
    assert outcome.how is Overtaken.RESTORED


def test_a_workload_that_left_a_readable_file_is_left_alone() -> None:
    good, bad = parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD))
    outcome = restore_edits(good, bad, parsed(web=deployment(name="other")), WEB)
    assert outcome == Superseded(Overtaken.REMOVED)


def test_a_new_workload_has_nothing_to_go_back_to() -> None:
    bad = parsed(web=deployment(image=BAD))
    assert isinstance(restore_edits(parsed(), bad, bad, WEB), Impossible)


def test_a_further_change_to_the_same_workload_makes_it_a_proposal() -> None:
    good, bad = deployment(image=GOOD), deployment(image=BAD)
    tip = deployment(image=BAD, extra="          workingDir: /new\n")
    outcome = restore_edits(parsed(web=good), parsed(web=bad), parsed(web=tip), WEB)
    assert isinstance(outcome, ProposedEdit)
    assert outcome.caution is Caution.FURTHER
    assert outcome.edit.files["web.yaml"] == tip.replace(BAD, GOOD).encode()


def test_a_moved_file_is_edited_where_it_is_now() -> None:
    good, bad = parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD))
    tip = parsed(moved="---\n" + deployment(name="api") + "---\n" + deployment(image=BAD))
    outcome = restore_edits(good, bad, tip, WEB)
    assert isinstance(outcome, Direct)
    assert asks_for(replace_files(tip, outcome.edit.files)) == asks_for(good)


def test_the_template_of_a_rollout_may_live_in_a_deployment() -> None:
    rollout = "---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    rollout += "spec:\n  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
    good, bad = parsed(web=deployment(image=GOOD) + rollout), parsed(web=deployment(image=BAD) + rollout)
    outcome = restore_edits(good, bad, bad, WorkloadId("Rollout", "shop", "web"))
    assert isinstance(outcome, Direct)
    assert outcome.edit.files["web.yaml"] == (deployment(image=GOOD) + rollout).encode()


def test_an_order_that_changed_alone_is_left_to_a_person() -> None:
    one = deployment(extra=f"{ENV}            - name: A\n            - name: B\n")
    two = parsed(web=deployment(extra=f"{ENV}            - name: B\n            - name: A\n"))
    outcome = restore_edits(parsed(web=one), two, two, WEB)
    assert outcome == Impossible(Obstacle.ORDER)


VARIABLES = st.dictionaries(
    st.sampled_from("ABCDEF"), st.sampled_from(["x", "1", "true", "", "a: b", "two\nlines\n"]), min_size=1, max_size=5
)


def with_variables(variables: dict[str, str], indent: str, image: str) -> str:
    lines = [f"{indent}- name: {name}\n{indent}  value: {written(value, indent)}\n" for name, value in variables.items()]
    return deployment(image=image, extra=ENV + "".join(lines) + "          workingDir: /srv\n")


def written(value: str, indent: str) -> str:
    if "\n" not in value:
        return "'" + value + "'"
    return "|\n" + "".join(f"{indent}      {line}\n" for line in value.splitlines()).rstrip()


@settings(max_examples=150, deadline=None)
@given(good=VARIABLES, bad=VARIABLES, indents=st.tuples(*[st.sampled_from([" " * 10, " " * 12])] * 2))
def test_whatever_was_changed_goes_back_or_is_left_to_a_person(good: dict[str, str], bad: dict[str, str], indents: tuple[str, str]) -> None:
    one, two = (
        parsed(web=with_variables(variables, indent, image), other=deployment(name="other"))
        for variables, indent, image in ((good, indents[0], GOOD), (bad, indents[1], BAD))
    )
    outcome = restore_edits(one, two, two, WEB)
    assert isinstance(outcome, Direct | ProposedEdit), outcome
    after = replace_files(two, outcome.edit.files)
    assert not after.problems
    assert isinstance(outcome, Direct) == (asks_for(after) == asks_for(one))
    if [name for name in good if name in bad] == [name for name in bad if name in good]:
        assert isinstance(outcome, Direct), words(outcome)


@pytest.mark.parametrize("which", ["proven", "tip"])
def test_the_same_question_has_the_same_answer(which: str) -> None:
    good, bad = parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD))
    tip = good if which == "proven" else bad
    assert restore_edits(good, bad, tip, WEB) == restore_edits(good, bad, tip, WEB)


# --- what the tip says when it cannot be read ---


@pytest.mark.parametrize(
    ("tip", "place"),
    [
        ({"web": "a: ["}, "web.yaml"),
        ({"web": deployment(image=BAD) + "bad: {{ .x }}:80\n"}, "web.yaml"),
        ({"other": deployment(name="other")}, "web.yaml"),
        ({"web": deployment(image=BAD), "again": deployment(image=BAD)}, "web.yaml"),
        ({"web": deployment(name="other"), "moved": "a: ["}, "moved.yaml"),
    ],
    ids=["no YAML", "template text", "file missing", "written twice", "perhaps moved into a broken file"],
)
def test_what_cannot_be_read_is_waited_for_and_never_superseded(tip: dict[str, str], place: str) -> None:
    outcome = restore_edits(parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD)), parsed(**tip), WEB)
    assert isinstance(outcome, Waiting), outcome
    assert outcome.problem.file == place
    assert outcome.problem.message and outcome.problem.remedy


def test_of_a_broken_file_and_a_missing_one_the_broken_one_is_told() -> None:
    rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    rollout += "spec:\n  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
    good, bad = (parsed(owner=rollout, web=deployment(image=image)) for image in (GOOD, BAD))
    outcome = restore_edits(good, bad, parsed(owner="a: ["), WorkloadId("Rollout", "shop", "web"))
    assert isinstance(outcome, Waiting) and outcome.problem.file == "owner.yaml"


def test_config_that_cannot_be_read_is_waited_for() -> None:
    web = deployment(extra=FROM_CONFIG)
    one, two = (parsed(web=web, config=CONFIG.format(mode=mode)) for mode in ("fast", "broken"))
    assert isinstance(restore_edits(one, two, parsed(web=web, config="a: ["), WEB), Waiting)
    assert isinstance(restore_edits(one, two, parsed(web=web), WEB), Waiting)
    gone = parsed(web=web, config=CONFIG.format(mode="x").replace("name: web", "name: else"))
    assert restore_edits(one, two, gone, WEB) == Superseded(Overtaken.REMOVED)


def test_a_broken_document_beside_it_keeps_nothing_from_going_back() -> None:
    broken = "---\nargs: [{{ .Host }}:80]\nx: {{ if }}\n---\n"
    good, bad = deployment(image=GOOD), deployment(image=BAD)
    assert restored(good, bad, deployment(name="api") + broken + bad) == (deployment(name="api") + broken + good).encode()


# --- without the commit of the previous version ---


def previous_manifest(source: Parsed) -> PreviousManifest:
    """As a Release carries it: through JSON."""
    workload = workloads(source)[WEB]
    config = {(located.key[0], located.key[2]): content_of(located.manifest) for located in referenced_config(source, workload)}
    return PreviousManifest(json.loads(json.dumps(workload.pod_template)), config)


@pytest.mark.parametrize("known", [True, False], ids=["rejected commit known", "both gone"])
def test_a_vanished_commit_costs_the_direct_push_and_not_the_way_back(known: bool) -> None:
    good, bad = (deployment(image=image, extra=FROM_CONFIG) for image in (GOOD, BAD))
    one, two = (CONFIG.format(mode=mode) for mode in ("fast", "broken"))
    tip = parsed(web="# top\n" + bad, config=two)
    previous = previous_manifest(parsed(web=good, config=one))
    outcome = restore_edits(previous, parsed(web=bad, config=two) if known else None, tip, WEB)
    assert isinstance(outcome, ProposedEdit)
    assert outcome.caution is Caution.PREVIOUS_GONE
    assert outcome.edit.files == {"config.yaml": one.encode(), "web.yaml": b"# top\n" + good.encode()}


def test_a_manifest_that_the_tip_asks_for_already_needs_nothing() -> None:
    source = parsed(web=deployment(extra=FROM_CONFIG), config=CONFIG.format(mode="fast"))
    assert restore_edits(previous_manifest(source), None, source, WEB) == Superseded(Overtaken.RESTORED)


def test_a_newer_value_supersedes_a_kept_manifest_too() -> None:
    previous, bad = previous_manifest(parsed(web=deployment(image=GOOD))), parsed(web=deployment(image=BAD))
    outcome = restore_edits(previous, bad, parsed(web=deployment(image=BAD + "-fix")), WEB)
    assert isinstance(outcome, Superseded)
    assert outcome.how is Overtaken.CHANGED


@settings(max_examples=100, deadline=None)
@given(good=VARIABLES, bad=VARIABLES)
def test_a_kept_manifest_says_all_that_is_needed(good: dict[str, str], bad: dict[str, str]) -> None:
    one, two = (parsed(web=with_variables(variables, " " * 12, image)) for variables, image in ((good, GOOD), (bad, BAD)))
    outcome = restore_edits(previous_manifest(one), None, two, WEB)
    assert isinstance(outcome, ProposedEdit), outcome
    after = workloads(replace_files(two, outcome.edit.files))[WEB].pod_template["spec"]["containers"][0]
    assert {item["name"]: item["value"] for item in after["env"]} == good
    assert after["image"] == GOOD


@pytest.mark.parametrize(
    "outcome",
    [Superseded(Overtaken.REMOVED), Impossible(Obstacle.UNWRITABLE, "why"), Waiting(SourceProblem("web.yaml", 3, "broken", "mend it"))],
)
def test_every_outcome_has_words_for_people(outcome: Outcome) -> None:
    assert words(outcome) in ("it is no longer in the source", "the edit cannot be written: why", "web.yaml:3: broken; mend it")
