"""Objects of kinds that are defined by the source itself: no problem while the definition is on its way, and one afterwards."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.sources.problem import Reason
from reconciler.sync.plan import SourcePlan, plan
from reconciler.sync.wish import ASK_AGAIN, LOOK_AGAIN
from tests.kit.clusters import CUSTOM_RESOURCES
from tests.kit.desk import SETTINGS
from tests.kit.sourcefacts import KINDS, source_facts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: 1}\n"
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget}}
"""
ALLOW = replace(SETTINGS.allow, kinds=(*SETTINGS.allow.kinds, "CustomResourceDefinition.apiextensions.k8s.io", "Widget.example.com"))


def planned(definition: str, live: tuple[Manifest, ...] = ()) -> SourcePlan:
    files = {"widget": WIDGET, **({"definition": definition} if definition else {})}
    served = {(CUSTOM_RESOURCES.api_version, CUSTOM_RESOURCES.kind): CUSTOM_RESOURCES}
    return plan(source_facts(files, live, resources={**KINDS, **served}, settings=replace(SETTINGS, allow=ALLOW)), NOW)


def established(seconds: float) -> Manifest:
    """The definition as it lives, made so many seconds ago."""
    made = (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {"name": "widgets.example.com", "uid": "u", "resourceVersion": "1", "creationTimestamp": made}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata}


@pytest.mark.parametrize("live", [(), (established(59),)])
def test_while_its_definition_is_on_its_way_an_object_is_no_problem_and_asked_for_again_soon(live: tuple[Manifest, ...]) -> None:
    found = planned(DEFINITION, live)
    assert found.problems == ()
    assert found.wake_at == NOW + LOOK_AGAIN


@pytest.mark.parametrize(
    ("definition", "live"),
    [
        ("", ()),
        (DEFINITION, (established(60),)),
        (DEFINITION.replace("kind: Widget", "kind: Gadget"), ()),
        (DEFINITION.replace("group: example.com", "group: example.org"), ()),
        (DEFINITION.replace(", names: {kind: Widget}", ""), ()),
        (DEFINITION.replace("spec: {group: example.com, names: {kind: Widget}}\n", ""), ()),
        (DEFINITION.replace("apiextensions.k8s.io/v1", "v1").replace("CustomResourceDefinition", "ConfigMap"), ()),
    ],
)
def test_a_kind_that_nobody_defines_or_that_is_not_served_for_long_is_a_problem(definition: str, live: tuple[Manifest, ...]) -> None:
    found = planned(definition, live)
    assert [problem.reason for problem in found.problems if problem.object == "Widget shop/w"] == [Reason.NOT_SERVED]
    assert found.wake_at == NOW + ASK_AGAIN
