"""Files beside the cluster, field by field."""

from pathlib import Path

from reconciler.app.cli.diff import RuntimeOwners
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import CONFIGMAPS, SECRETS
from reconciler.kube.client import Client
from reconciler.routers.app_mesh_objects import VIRTUAL_ROUTERS
from reconciler.routers.registry import ROUTERS
from reconciler.sync.drift.carry import carry_over
from reconciler.sync.drift.owned import runtime_owned
from tests.kit.clusters import config_map
from tests.kit.desk import config
from tests.kit.routers import CASES, driven
from tests.kit.shell import Shell


async def stock(client: Client) -> None:
    await client.create(CONFIGMAPS, config_map("a", {"a": "1", "more": "x"}))


def test_what_is_equal_ends_with_0(sh: Shell, tmp_path: Path) -> None:
    sh.ask(stock)
    (tmp_path / "a.yaml").write_text(config("a"))
    ended = sh("diff", str(tmp_path / "a.yaml"))
    assert (ended.code, ended.output) == (0, "no differences\n")
    assert sh("diff", str(tmp_path / "a.yaml"), "-o", "json").json == []


def test_what_differs_ends_with_1_and_names_file_field_and_both_values(sh: Shell, tmp_path: Path) -> None:
    sh.ask(stock)
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "a.yaml").write_text("# note\n" + config("a", "2"))
    (folder / "b.yaml").write_text(config("b"))
    ended = sh("diff", str(folder))
    assert ended.code == 1
    assert ended.output.splitlines() == [
        f"ConfigMap shop/a  ({folder}/a.yaml:2)",
        "  data.a",
        "    - live  1",
        "    + Git   2",
        f"ConfigMap shop/b  ({folder}/b.yaml:1)  is not in the cluster",
    ]
    first, second = sh("diff", str(folder), "-o", "json").json
    assert first["fields"] == [{"field": "data.a", "desired": "2", "live": "1", "by": "", "since": ""}]
    assert second["missing"] is True


async def changed(client: Client) -> None:
    ref = ObjectRef(CONFIGMAPS, "shop", "a")
    await client.patch(ref, config_map("a", {"a": "1"}), style=PatchStyle.APPLY, query={"force": "true"})
    await client.patch(ref, {"data": {"a": "2"}}, query={"fieldManager": "kubectl-edit"})


def test_who_has_changed_a_field_is_named_beside_it(sh: Shell, tmp_path: Path) -> None:
    sh.ask(changed)
    (tmp_path / "a.yaml").write_text(config("a"))
    ended = sh("diff", str(tmp_path / "a.yaml"))
    assert ended.code == 1 and "  data.a  (last written by kubectl-edit, since 2" in ended.output
    ((entry,),) = (one["fields"] for one in sh("diff", str(tmp_path / "a.yaml"), "-o", "json").json)
    assert entry["by"] == "kubectl-edit"


def test_files_that_cannot_be_used_and_kinds_that_nobody_serves_are_3(sh: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [")
    assert sh("diff", str(broken)).code == 3
    unknown = tmp_path / "unknown.yaml"
    unknown.write_text("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\n")
    ended = sh("diff", str(unknown))
    assert ended.code == 3 and "install its CustomResourceDefinition first" in ended.errors


def test_an_object_without_a_namespace_is_looked_for_in_that_of_the_context_or_in_the_one_that_is_named(sh: Shell, tmp_path: Path) -> None:
    sh.ask(stock)
    (tmp_path / "a.yaml").write_text(config("a").replace(", namespace: shop", ""))
    ended = sh("diff", str(tmp_path / "a.yaml"))
    assert (
        (ended.code, ended.errors) == (1, "") and ended.output.startswith("ConfigMap default/a") and "is not in the cluster" in ended.output
    )
    assert sh("diff", str(tmp_path / "a.yaml"), "-n", "shop").code == 0


async def stock_secret(client: Client) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "data": {"a": "b2xkLXNlY3JldA=="}}
    await client.create(SECRETS, manifest)


def test_what_a_secret_holds_is_not_printed(sh: Shell, tmp_path: Path) -> None:
    sh.ask(stock_secret)
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop, labels: {a: b}}\nstringData: {a: new-secret, b: other-secret}\n"
    )
    (tmp_path / "s.yaml").write_text(text)
    ended = sh("diff", str(tmp_path / "s.yaml"))
    assert (
        ended.code == 1 and "  data.a\n    - live  (hidden)\n    + Git   (hidden)\n" in ended.output and "metadata.labels" in ended.output
    )
    for output in (ended.output, sh("diff", str(tmp_path / "s.yaml"), "-o", "json").output):
        assert "-secret" not in output and "b2xk" not in output and "bmV3" not in output


def test_weights_of_a_virtual_router_that_a_rollout_is_led_to_are_no_difference() -> None:
    world, case = driven(CASES["app mesh"]()), CASES["app mesh"]()
    ref = next(ref for ref in case.objects if ref.resource == VIRTUAL_ROUTERS)
    living = world.store.get(VIRTUAL_ROUTERS, ref.namespace, ref.name)
    owners = RuntimeOwners((world.rollout,), runtime_owned([world.rollout], [], ROUTERS))
    assert living is not None and carry_over(case.objects[ref], living, owners.common)["spec"] != living["spec"]
    assert carry_over(case.objects[ref], living, owners.of(VIRTUAL_ROUTERS, living))["spec"] == living["spec"]
    assert owners.of(VIRTUAL_ROUTERS, None) is owners.common is owners.of(CONFIGMAPS, config_map("a", {}))
