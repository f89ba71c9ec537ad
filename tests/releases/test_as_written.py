"""What an API server fills in is not written into Git: only what a person wrote comes back."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.restore.as_written import as_written
from reconciler.rollouts.replicas.defaults import with_defaults


def template(image: str = "web:1.0", **container: Any) -> Manifest:
    spec = {"containers": [{"name": "web", "image": image, "ports": [{"name": "http", "containerPort": 8080}], **container}]}
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


@pytest.mark.parametrize("written", [template("web:2.0"), template("web:latest"), template("web@sha256:ab")])
def test_defaults_that_git_never_said_are_left_out(written: Manifest) -> None:
    assert as_written(with_defaults(template()), written) == template()


def test_a_default_that_git_says_stays_and_what_git_lacks_and_matters_comes_back() -> None:
    live = with_defaults(template(env=[{"name": "MODE", "value": "m0"}], imagePullPolicy="Always"))
    written = {**template("web:2.0"), "spec": {**template("web:2.0")["spec"], "restartPolicy": "Always"}}
    found = as_written(live, written)
    assert found["spec"]["restartPolicy"] == "Always" and "dnsPolicy" not in found["spec"]
    assert found["spec"]["containers"][0] == {
        **template()["spec"]["containers"][0],
        "env": [{"name": "MODE", "value": "m0"}],
        "imagePullPolicy": "Always",
    }


def test_containers_are_held_against_those_of_their_name() -> None:
    sidecar = {"name": "log", "image": "log:1"}
    live = template()
    live["spec"]["containers"].append(sidecar)
    written = template("web:2.0")
    written["spec"]["containers"].insert(0, {"name": "log", "image": "log:2"})
    assert as_written(with_defaults(live), written) == live


@pytest.mark.parametrize("written", [{}, {"spec": None}, {"spec": {"containers": "odd"}}, {"spec": {"containers": [None, "x"]}}])
def test_words_of_git_that_are_no_template_take_nothing_that_matters(written: Manifest) -> None:
    found = as_written(with_defaults(template()), written)
    assert found["spec"]["containers"][0]["image"] == "web:1.0"
