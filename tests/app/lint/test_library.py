"""When a missing object is an error, and when it is only outside."""

from reconciler.app.lint.finding import Severity
from tests.kit.lint import POLICY, SERVICES, TEMPLATE, library


def test_one_file_cannot_say_that_an_object_is_missing() -> None:
    remark = library(POLICY).missing("spec", ("Service", "shop", "web"), "shop")
    assert remark.severity is Severity.NOTE


def test_a_folder_should_hold_what_its_own_namespace_refers_to() -> None:
    assert library(POLICY, whole=True).missing("spec", ("Service", "shop", "web"), "shop").severity is Severity.ERROR
    assert library(POLICY, whole=True).missing("spec", ("Service", "other", "web"), "shop").severity is Severity.NOTE


def test_files_that_hold_others_of_its_kind_should_hold_it() -> None:
    remark = library(SERVICES).missing("spec", ("Service", "shop", "web-preview"), "ingress")
    assert (remark.severity, remark.message) == (
        Severity.ERROR,
        "Service shop/web-preview is not among these files: add it, or correct the name",
    )


def test_templates_of_the_namespace_and_of_the_cluster_can_be_named() -> None:
    cluster = TEMPLATE.replace("AnalysisTemplate", "ClusterAnalysisTemplate").replace(", namespace: shop", "")
    other = TEMPLATE.replace("namespace: shop", "namespace: other")
    kinds = [template["kind"] for template in library(TEMPLATE, cluster, other).templates("shop")]
    assert kinds == ["AnalysisTemplate", "ClusterAnalysisTemplate"]
