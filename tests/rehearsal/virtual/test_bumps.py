"""Which value of which file is a release of a rendered workload."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler_sandbox.rehearsal.virtual.bumps import bump_of

from reconciler.git.objects import Snapshot
from reconciler.sources.documents import Parsed, manifests_of
from tests.kit.desk import config
from tests.kit.layouts import IMAGE, rollout

WEB = ("Rollout", "shop", "web")
SHARED, OWN = "a: '1.0'\n", "b: '1.0'\n"


def render(files: Mapping[str, bytes]) -> Parsed:
    """Either file can say the tag; a ConfigMap feels only the shared one."""
    inputs = {"shared.yaml": SHARED.encode(), "own.yaml": OWN.encode(), **files}
    shared, own = (inputs[name].decode().split("'")[1] for name in ("shared.yaml", "own.yaml"))
    tag = shared if shared != "1.0" else own
    made = manifests_of(Snapshot("", "", {"out.yaml": f"{rollout(f'{IMAGE}:{tag}')}---\n{config('a', shared)}".encode()}))
    return replace(made, inputs=inputs)


def test_of_two_values_that_give_the_image_the_one_that_moves_less_is_the_release() -> None:
    bump = bump_of(render({}), WEB, render)
    assert bump is not None and (bump.image, bump.files) == (f"{IMAGE}:simulated", {"own.yaml": b"b: 'simulated'\n"})


def test_a_value_that_nothing_feels_is_no_release() -> None:
    assert bump_of(render({}), WEB, lambda _files: render({})) is None


def test_a_template_whose_braces_read_as_a_mapping_that_is_a_key_is_passed_over() -> None:
    parsed = render({})
    template = replace(parsed, inputs={**parsed.inputs, "a-template.yaml": b"metadata: {name: {{ .Release.Name }}, tag: '1.0'}\n"})
    bump = bump_of(template, WEB, render)
    assert bump is not None and bump.files == {"own.yaml": b"b: 'simulated'\n"}
