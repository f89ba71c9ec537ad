"""What a push asks for, value by value, with places in both snapshots."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.sources.changes import change_of, changes
from reconciler.sources.documents import manifests_of
from reconciler.sources.model import WorkloadId
from tests.kit.manifests import deployment, parsed, snapshot

ROLLOUT = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    "spec:\n  replicas: 1\n  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, namespace: shop}}\ndata: {{mode: {mode}}}\n"


def test_nothing_moved_is_no_change() -> None:
    assert changes(parsed(web=deployment()), parsed(web="# comment\n" + deployment().replace("replicas: 2", "replicas:  2"))) == ()


def test_an_image_moves_with_its_place_in_both_snapshots() -> None:
    (change,) = changes(parsed(web=deployment(image="r/web:1.0")), parsed(web="# one line more\n" + deployment(image='"r/web:1.10"')))
    (image,) = change.images
    assert (image.container, image.old, image.new) == ("web", "r/web:1.0", "r/web:1.10")
    assert image.field.before is not None
    assert image.field.after is not None
    assert (image.field.before.line, image.field.after.line) == (16, 17)
    assert image.field.field == "spec.template.spec.containers[0].image"
    assert change.moved


def test_other_fields_are_told_apart() -> None:
    (change,) = changes(parsed(web=deployment()), parsed(web=deployment().replace("replicas: 2", "replicas: 3")))
    assert [(field.field, field.old, field.new) for field in change.other] == [("spec.replicas", "2", "3")]
    assert not change.fields
    assert not change.moved


def test_a_container_put_in_front_moves_only_itself() -> None:
    sidecar = "      containers:\n        - {name: proxy, image: proxy:1}\n"
    (change,) = changes(parsed(web=deployment()), parsed(web=deployment().replace("      containers:\n", sidecar)))
    assert [(image.container, image.old, image.new) for image in change.images] == [("proxy", None, "proxy:1")]


def test_order_alone_asks_for_other_pods() -> None:
    one = deployment(extra="          env: [{name: A}, {name: B}]\n")
    (change,) = changes(parsed(web=one), parsed(web=one.replace("{name: A}, {name: B}", "{name: B}, {name: A}")))
    assert change.moved


def test_a_type_change_without_a_text_change_is_a_change() -> None:
    one, two = (deployment(extra=f"          env: [{{name: A, value: {value}}}]\n") for value in ("1", "'1'"))
    (change,) = changes(parsed(web=one), parsed(web=two))
    assert [(field.old, field.new) for field in change.fields] == [("1", "1")]


def test_referenced_config_moves_with_the_workload() -> None:
    web = deployment(extra="          envFrom: [{configMapRef: {name: web}}]\n")
    (change,) = changes(parsed(web=web, config=CONFIG.format(mode="a")), parsed(web=web, config=CONFIG.format(mode="b")))
    (config,) = change.config
    assert (config.kind, config.name) == ("ConfigMap", "web")
    assert config.old_hash != config.new_hash
    assert [(field.old, field.new, field.location.file) for field in config.fields] == [("a", "b", "config.yaml")]
    assert change.moved


def test_config_nobody_refers_to_is_no_change_of_a_workload() -> None:
    old, new = (parsed(web=deployment(), config=CONFIG.format(mode=mode)) for mode in "ab")
    assert changes(old, new) == ()


def test_secrets_are_compared_but_never_told() -> None:
    web = deployment(extra="          envFrom: [{secretRef: {name: web}}]\n")
    old, new = (parsed(web=web, config=CONFIG.replace("ConfigMap", "Secret").format(mode=mode)) for mode in ("hunter2", "hunter3"))
    (change,) = changes(old, new)
    assert change.config
    assert "hunter" not in repr(change)


def test_the_template_of_a_rollout_with_a_reference_is_the_deployments() -> None:
    old, new = (parsed(web=deployment(image=f"r/web:{tag}"), rollout=ROLLOUT) for tag in (1, 2))
    (change,) = changes(old, new)
    assert change.workload == WorkloadId("Rollout", "shop", "web")
    assert change.template == WorkloadId("Deployment", "shop", "web")
    assert change.images[0].field.location.file == "web.yaml"


def test_workloads_come_and_go() -> None:
    (added,) = changes(parsed(), parsed(web=deployment()))
    (removed,) = changes(parsed(web=deployment()), parsed())
    assert (added.added, added.moved, added.images[0].new) == (True, True, "registry.example.com/web:1.0")
    assert (removed.removed, removed.images[0].new) == (True, None)


def _sources(draw: st.DrawFn) -> dict[str, str]:
    """Files that refer to each other: shared config, Rollouts that borrow from Deployments, sometimes the same name twice."""
    tags, modes, names = st.integers(1, 2), st.sampled_from("ab"), st.sampled_from(["web", "api"])
    files = {"config.yaml": CONFIG.format(mode=draw(modes)), "zwice.yaml": deployment("web", f"r/web:{draw(tags)}")}
    for name in ("web", "api"):
        extra = draw(st.sampled_from(["", "          envFrom: [{configMapRef: {name: web}}]\n"]))
        files[f"{name}.yaml"] = deployment(name, f"r/{name}:{draw(tags)}", extra)
    for file in ("one.yaml", "two.yaml"):
        named = ROLLOUT.replace("metadata: {name: web", f"metadata: {{name: {draw(names)}")
        files[file] = named.replace("Deployment, name: web", f"Deployment, name: {draw(names)}")
    present = draw(st.sets(st.sampled_from(sorted(files)), min_size=3))
    return {name: text for name, text in files.items() if name in present}


@settings(max_examples=200, deadline=None)
@given(
    *[st.composite(_sources)()] * 2, st.sets(st.sampled_from(["web.yaml", "api.yaml", "config.yaml", "one.yaml", "two.yaml"]), max_size=2)
)
def test_files_that_are_the_same_object_change_nothing_about_the_answer(
    one: dict[str, str], other: dict[str, str], pushed: set[str]
) -> None:
    before = snapshot(one)
    after = snapshot({name: text for name, text in {**one, **{n: other.get(n, "") for n in pushed}}.items() if text})
    old = manifests_of(before)
    assert changes(old, manifests_of(after, old)) == changes(manifests_of(before), manifests_of(after))


def test_one_workload_can_be_asked_for_alone() -> None:
    old, new = parsed(web=deployment(), other=deployment("other")), parsed(web=deployment(image="r/web:2"), other=deployment("other"))
    assert (change_of(old, new, WorkloadId("Deployment", "shop", "web")),) == changes(old, new)
    assert change_of(old, new, WorkloadId("Deployment", "shop", "other")) is None
    assert change_of(old, new, WorkloadId("Deployment", "shop", "nobody")) is None


def test_a_workload_that_comes_or_goes_can_be_asked_for_alone_too() -> None:
    web = WorkloadId("Deployment", "shop", "web")
    come, gone = change_of(parsed(), parsed(web=deployment()), web), change_of(parsed(web=deployment()), parsed(), web)
    assert come is not None and (come.added, come.removed) == (True, False)
    assert gone is not None and (gone.added, gone.removed) == (False, True)


def test_all_of_a_pod_is_its_template_and_told_once() -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop}}\nspec: {{containers: [{{name: web, image: 'r/web:{tag}'}}]}}\n"
    )
    (change,) = changes(parsed(web=pod.format(tag=1)), parsed(web=pod.format(tag=2)))
    assert [(field.old, field.new) for field in change.fields] == [("r/web:1", "r/web:2")]
    assert change.other == ()


def test_config_that_is_referred_to_anew_moves_the_workload_even_when_it_is_empty() -> None:
    empty = CONFIG.replace("data: {{mode: {mode}}}\n", "").format()
    one = parsed(web=deployment(extra="          envFrom: [{configMapRef: {name: web}}]\n"))
    (change,) = changes(one, parsed(web=deployment(extra="          envFrom: [{configMapRef: {name: web}}]\n"), config=empty))
    assert change.moved and [config.name for config in change.config] == ["web"]


def test_a_rollout_that_takes_its_template_over_is_not_compared_with_the_one_that_lent_it() -> None:
    own = ROLLOUT[: ROLLOUT.index("  workloadRef")] + deployment()[deployment().index("  template:") :]
    (change,) = changes(parsed(web=deployment(), rollout=ROLLOUT), parsed(rollout=own))
    assert (change.workload.kind, change.template.kind) == ("Rollout", "Rollout")
    assert {field.location.file for field in change.other} == {"rollout.yaml"}


def test_a_name_that_stands_for_two_manifests_in_either_snapshot_is_compared_as_if_all_files_were_new() -> None:
    twice, once = {"a.yaml": deployment(), "b.yaml": deployment(image="r/web:2")}, {"b.yaml": deployment(image="r/web:2")}
    for before, after in ((twice, once), (once, twice)):
        old = manifests_of(snapshot(before))
        assert changes(old, manifests_of(snapshot(after), old)) == changes(old, manifests_of(snapshot(after)))


def test_a_file_that_did_not_change_counts_where_what_it_refers_to_or_borrows_from_did() -> None:
    referring = deployment(extra="          envFrom: [{configMapRef: {name: web}}]\n")
    kept = {"web.yaml": referring, "rollout.yaml": ROLLOUT}
    old = manifests_of(snapshot({**kept, "config.yaml": CONFIG.format(mode="a")}))
    (change,) = changes(old, manifests_of(snapshot({**kept, "config.yaml": CONFIG.format(mode="b")}), old))
    assert change.workload.kind == "Rollout" and change.moved
