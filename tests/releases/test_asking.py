"""What a tip asks for, in the words of a release."""

from datetime import timedelta

from reconciler.releases.opening.asking import asked_by, identities, moved, released_workloads, revertability, source_id
from reconciler.sources.edits import restore_edits
from reconciler.sources.model import Commit, WorkloadId
from reconciler.sources.settings import Allow, SourceSettings
from reconciler.sources.templates import workloads
from tests.kit.manifests import deployment, parsed

SETTINGS = SourceSettings(
    name="shop",
    repository="file:///r",
    branch="main",
    path=".",
    environment="demo",
    interval=timedelta(seconds=30),
    apply=True,
    allow=Allow(),
)
ROLLOUT = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    "spec:\n  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
)
WEB = WorkloadId("Deployment", "shop", "web")


def test_a_plain_deployment_is_released_only_if_a_policy_adopts_it() -> None:
    source = parsed(web=deployment(), other=deployment("other"))
    assert [w.id.name for w in released_workloads(source, lambda namespace, name: (namespace, name) == ("shop", "other"))] == ["other"]


def test_a_rollout_is_always_released_and_bears_the_template_of_its_deployment() -> None:
    source = parsed(web=deployment(), rollout=ROLLOUT)
    (workload,) = released_workloads(source, lambda *_: False)
    asked = asked_by(source, workload, SETTINGS, Commit(sha="c" * 40))
    assert (asked.workload.kind, asked.template.kind, asked.template.name) == ("Rollout", "Deployment", "web")
    assert asked.images == {"web": "registry.example.com/web:1.0"}


def test_identities_are_kept_by_the_rollouts_name() -> None:
    source = parsed(web=deployment())
    (workload,) = workloads(source).values()
    asked = asked_by(source, workload, SETTINGS, Commit(sha="c" * 40))
    assert identities(source) == {"Rollout/shop/web": asked.identity}


def test_the_source_names_a_workload_by_its_rollout_if_it_has_one() -> None:
    assert source_id(parsed(web=deployment(), rollout=ROLLOUT), "shop", "web").kind == "Rollout"
    assert source_id(parsed(web=deployment()), "shop", "web") == WEB


def test_every_moved_value_is_listed_where_it_stands_now() -> None:
    changes = moved(parsed(web=deployment()), parsed(web="# a line more\n" + deployment(image="registry.example.com/web:1.1")), WEB)
    (change,) = changes
    assert (change.file, change.field) == ("web.yaml", "spec.template.spec.containers[0].image")
    assert (change.old, change.new) == ("registry.example.com/web:1.0", "registry.example.com/web:1.1")
    assert change.line == 17


def test_revertability_is_known_before_a_release_starts() -> None:
    good, tip = parsed(web=deployment()), parsed(web=deployment(image="registry.example.com/web:1.1"))
    assert revertability(restore_edits(good, tip, tip, WEB)) == ("direct", "")
    word, why = revertability(restore_edits(parsed(other=deployment("other")), tip, tip, WEB))
    assert word == "manual" and "no previous version" in why


def test_a_workload_that_two_documents_claim_is_neither_released_nor_known() -> None:
    plain = deployment()
    for files in ({"a": plain, "b": plain}, {"r": ROLLOUT, "a": plain, "b": plain}, {"r": ROLLOUT, "again": ROLLOUT, "a": plain}):
        source = parsed(**files, other=deployment("other"))
        assert [workload.id.name for workload in released_workloads(source, lambda _, __: True)] == ["other"]
        assert [key.rpartition("/")[2] for key in identities(source)] == ["other"]
