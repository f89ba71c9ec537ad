"""The words of `helm:` in a source."""

from typing import Any

import pytest

from reconciler.app.settings.manifest import parse_settings
from reconciler.kernel.strict import FieldError
from reconciler.sources.charts import ChartRegistry
from reconciler.sources.settings import HelmSettings

SOURCE = {"name": "shop", "repository": "https://git.example.com/shop.git", "branch": "main", "environment": "production"}


def parsed(helm: Any) -> HelmSettings:
    (source,) = parse_settings({"sources": [{**SOURCE, "helm": helm}]}).sources
    return source.helm


def test_without_a_word_the_chart_is_rendered_with_its_own_values() -> None:
    assert parse_settings({"sources": [SOURCE]}).sources[0].helm == parsed({}) == HelmSettings()


def test_every_word_is_read() -> None:
    found = parsed(
        {
            "program": "/opt/helm",
            "releaseName": "web",
            "namespace": "shop",
            "valueFiles": ["production.yaml", "/shared/limits.yaml"],
            "values": {"replicas": 3, "deep": {"list": [1, None]}},
            "set": {"image.tag": "1.2", "debug": True},
            "kubeVersion": "1.34",
            "apiVersions": ["networking.istio.io/v1"],
            "includeCRDs": False,
            "registries": [
                {"url": "https://charts.example.com/stable"},
                {"url": "http://127.0.0.1:8080", "username": "me", "passwordFile": "/p"},
                {"url": "oci://ghcr.io/shop/charts"},
            ],
        }
    )
    assert found == HelmSettings(
        program="/opt/helm",
        release="web",
        namespace="shop",
        value_files=("production.yaml", "/shared/limits.yaml"),
        values={"replicas": 3, "deep": {"list": [1, None]}},
        assignments={"image.tag": "1.2", "debug": True},
        kube_version="1.34",
        api_versions=("networking.istio.io/v1",),
        include_crds=False,
        registries=(
            ChartRegistry(url="https://charts.example.com/stable"),
            ChartRegistry(url="http://127.0.0.1:8080", username="me", password_file="/p"),
            ChartRegistry(url="oci://ghcr.io/shop/charts"),
        ),
    )


@pytest.mark.parametrize(
    ("helm", "field"),
    [
        ({"valuesFiles": []}, "valuesFiles"),
        ({"valueFiles": ["https://example.com/values.yaml"]}, "valueFiles[0]"),
        ({"valueFiles": ["a.yaml", "/"]}, "valueFiles[1]"),
        ({"values": [1]}, "values"),
        ({"values": {"a": float("nan")}}, "values"),
        ({"set": ["a=b"]}, "set"),
        ({"set": {"a=b": 1}}, "set"),
        ({"set": {"a": {"b": 1}}}, "set"),
        ({"releaseName": "Web/1"}, "releaseName"),
        ({"program": "--evil"}, "program"),
        ({"kubeVersion": "new"}, "kubeVersion"),
        ({"apiVersions": ["-x"]}, "apiVersions"),
        ({"registries": ["https://h"]}, "registries[0]"),
        ({"registries": [{"url": "https://h"}, {}]}, "registries[1].url"),
        ({"registries": [{"url": "http://h/charts"}]}, "registries[0].url"),
        ({"registries": [{"url": "oci://h/charts:1.2.3"}]}, "registries[0].url"),
        ({"registries": [{"url": "oci://me:pw@h/charts"}]}, "registries[0].url"),
        ({"registries": [{"url": "https://me:pw@h/charts"}]}, "registries[0].url"),
        ({"registries": [{"url": "https://h/a/../b"}]}, "registries[0].url"),
        ({"registries": [{"url": "https://h", "username": "me"}]}, "registries[0].passwordFile"),
        ({"registries": [{"url": "https://h", "passwordFile": "/p"}]}, "registries[0].username"),
        ({"registries": [{"url": "https://h", "password": "x"}]}, "registries[0].password"),
    ],
)
def test_what_helm_could_not_be_told_is_refused_with_its_field(helm: Any, field: str) -> None:
    with pytest.raises(FieldError) as refused:
        parsed(helm)
    assert refused.value.path.startswith(f"sources[0].helm.{field}")
