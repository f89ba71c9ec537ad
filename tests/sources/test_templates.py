"""Which objects a workload consists of."""

import pytest

from reconciler.sources.templates import identity, referenced_config, workloads
from tests.kit.manifests import deployment, parsed

OBJECT = "apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{x: y}}\n"
REFERENCES = {
    "envFrom": "          envFrom: [{configMapRef: {name: c}}, {secretRef: {name: s}}]\n",
    "env": "          env:\n"
    "            - {name: A, valueFrom: {configMapKeyRef: {name: c, key: x}}}\n"
    "            - {name: B, valueFrom: {secretKeyRef: {name: s, key: x}}}\n",
    "volumes": "      volumes: [{name: a, configMap: {name: c}}, {name: b, secret: {secretName: s}}]\n",
    "projected": "      volumes: [{name: a, projected: {sources: [{configMap: {name: c}}, {secret: {name: s}}]}}]\n",
}


@pytest.mark.parametrize("way", REFERENCES)
def test_every_way_to_refer_to_config_is_seen(way: str) -> None:
    files = {"c": OBJECT.format(kind="ConfigMap", name="c"), "s": OBJECT.format(kind="Secret", name="s")}
    source = parsed(web=deployment(extra=REFERENCES[way]), other=OBJECT.format(kind="ConfigMap", name="o"), **files)
    (workload,) = workloads(source).values()
    assert [located.key[:1] + located.key[2:] for located in referenced_config(source, workload)] == [("ConfigMap", "c"), ("Secret", "s")]


def test_config_outside_the_source_does_not_count() -> None:
    source = parsed(web=deployment(extra=REFERENCES["env"]))
    (workload,) = workloads(source).values()
    assert not list(referenced_config(source, workload))


def test_the_identity_depends_on_content_not_on_where_it_is_written() -> None:
    one, two = parsed(web=deployment()), parsed(a="# moved\n" + deployment())
    assert identity(one, *workloads(one).values()) == identity(two, *workloads(two).values())


def test_a_rollout_whose_deployment_is_elsewhere_has_no_template_here() -> None:
    rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {workloadRef: {kind: Deployment, name: b}}\n"
    assert not workloads(parsed(a=rollout))


def test_a_pod_template_of_its_own_is_a_workload_and_one_that_is_lent_is_not() -> None:
    lent = "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: web, namespace: shop}\n"
    lent += "template: {spec: {containers: [{name: web, image: web}]}}\n"
    rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    rollout += "spec: {workloadRef: {apiVersion: v1, kind: PodTemplate, name: web}}\n"
    assert [id.kind for id in workloads(parsed(t=lent))] == ["PodTemplate"]
    assert [id.kind for id in workloads(parsed(t=lent, r=rollout))] == ["Rollout"]


def test_a_pod_without_a_spec_is_no_workload() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"
    assert not workloads(parsed(p=pod))
    assert [id.kind for id in workloads(parsed(p=pod + "spec: {containers: []}\n"))] == ["Pod"]
