"""What an edit may reach: its workload and the config that this refers to, in either version, and nothing else."""

from reconciler.sources.documents import replace_files
from reconciler.sources.edits import Direct, ProposedEdit, Waiting, restore_edits
from reconciler.sources.model import WorkloadId
from reconciler.sources.strays import strays
from tests.kit.manifests import deployment, parsed

WEB = WorkloadId("Deployment", "shop", "web")
GOOD, BAD = "registry.example.com/web:1.0", "registry.example.com/web:1.1"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, namespace: shop}}\ndata:\n  mode: {mode}\n"
FROM_CONFIG = "          envFrom:\n            - configMapRef: {name: web}\n"


def test_an_edit_that_reaches_any_other_object_is_never_used() -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n"
    bad = parsed(web=deployment(image=BAD), service=service)
    honest = replace_files(bad, {"web.yaml": deployment(image=GOOD).encode()})
    assert strays(bad, honest, WEB) == []
    assert strays(bad, replace_files(honest, {"service.yaml": service.replace("80", "81").encode()}), WEB) is None
    assert strays(bad, replace_files(honest, {"service.yaml": b"a: ["}), WEB) is None
    assert strays(bad, replace_files(honest, {"another.yaml": b"a: ["}), WEB) is None
    assert strays(bad, replace_files(honest, {"another.yaml": deployment("api").encode()}), WEB) is None
    assert strays(bad, replace_files(honest, {"another.yaml": CONFIG.format(mode="x").encode()}), WEB) is None
    assert strays(replace_files(bad, {"another.yaml": CONFIG.format(mode="x").encode()}), honest, WEB) is None
    assert strays(bad, replace_files(honest, {"web.yaml": deployment("api").encode()}), WEB) is None


def test_a_problem_that_was_there_before_keeps_no_edit_from_being_used() -> None:
    bad = parsed(web=deployment(image=BAD), broken="a: [")
    assert strays(bad, replace_files(bad, {"web.yaml": deployment(image=GOOD).encode()}), WEB) == []


def test_config_that_only_one_version_refers_to_is_left_alone() -> None:
    plain, referring, config = deployment(), deployment(extra=FROM_CONFIG), CONFIG.format(mode="x")
    added = restore_edits(parsed(web=plain), *[parsed(web=referring, config=config)] * 2, WEB)
    assert isinstance(added, Direct) and added.edit.files == {"web.yaml": plain.encode()}
    dropped = restore_edits(parsed(web=referring, config=config), *[parsed(web=plain)] * 2, WEB)
    assert isinstance(dropped, ProposedEdit) and dropped.edit.files == {"web.yaml": referring.encode()}
    back = restore_edits(parsed(web=referring, config=config), parsed(web=plain), parsed(web=plain, config=config), WEB)
    assert isinstance(back, Direct) and back.edit.files == {"web.yaml": referring.encode()}


def test_a_part_of_config_that_came_with_the_change_goes_with_it() -> None:
    web, bare = deployment(extra=FROM_CONFIG), CONFIG.format(mode="x").partition("data:\n")[0]
    good, bad = (
        parsed(web=web, config=text) for text in (bare + "binaryData: {a: eA==}\n", bare + "binaryData: {a: eA==}\ndata: {b: c}\n")
    )
    outcome = restore_edits(good, bad, bad, WEB)
    assert isinstance(outcome, Direct) and outcome.edit.files == {"config.yaml": (bare + "binaryData: {a: eA==}\n").encode()}


def test_config_that_the_change_left_alone_and_the_branch_has_no_more_needs_a_person() -> None:
    good, bad = (parsed(web=deployment(image=image, extra=FROM_CONFIG), config=CONFIG.format(mode="x")) for image in (GOOD, BAD))
    outcome = restore_edits(good, bad, parsed(web=deployment(image=BAD, extra=FROM_CONFIG)), WEB)
    assert isinstance(outcome, ProposedEdit) and set(outcome.edit.files) == {"web.yaml"}


def test_of_two_objects_that_are_written_twice_the_one_that_is_asked_for_is_told() -> None:
    other = deployment(name="aaa")
    tip = parsed(a=other, b=other, web=deployment(image=BAD), xweb=deployment(image=BAD))
    outcome = restore_edits(parsed(web=deployment(image=GOOD)), parsed(web=deployment(image=BAD)), tip, WEB)
    assert isinstance(outcome, Waiting)
    assert outcome.problem.file in ("web.yaml", "xweb.yaml") and " is also in " in str(outcome.problem)
