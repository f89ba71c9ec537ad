"""Which names a manifest refers to."""

from reconciler.sources.references import config_of, lender_of

TEMPLATE = {
    "spec": {
        "initContainers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}}]}],
        "containers": [{"envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "key"}}]}, "not a container"],
        "volumes": [{"configMap": {"name": "files"}}, {"projected": {"sources": [{"secret": {"name": "token"}}]}}],
    }
}


def test_config_is_named_wherever_a_template_can_refer_to_it() -> None:
    manifest = {"kind": "Deployment", "spec": {"template": TEMPLATE}}
    names = [("ConfigMap", "all"), ("ConfigMap", "files"), ("Secret", "key"), ("Secret", "token")]
    assert config_of(manifest, "shop") == tuple((kind, "shop", name) for kind, name in names)


def test_what_runs_no_pods_refers_to_nothing() -> None:
    assert config_of({"kind": "Service", "spec": {"template": TEMPLATE}}, "shop") == ()


def test_a_rollout_without_a_template_borrows_one() -> None:
    spec = {"workloadRef": {"kind": "Deployment", "name": "web"}}
    assert lender_of({"kind": "Rollout", "spec": spec}, "shop") == ("Deployment", "shop", "web")
    assert lender_of({"kind": "Rollout", "spec": {**spec, "template": TEMPLATE}}, "shop") is None
    assert lender_of({"kind": "Deployment", "spec": spec}, "shop") is None
