"""A real helm: $RECONCILER_REAL_HELM, else the one that `make real` obtained; or what answers where there is none."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from reconciler.renderers import helm_child
from reconciler.renderers.helm import LIBRARY
from scripts.real.binaries import helm
from scripts.real.errors import NotObtained


def real_helm() -> str:
    """The path of a helm. Skips the test when there is none."""
    try:
        return str(helm())
    except NotObtained as reason:
        pytest.skip(f"there is no helm: {reason}")


BY_LIBRARY = "library-helm"
HELMS = [pytest.param("helm", marks=pytest.mark.real), "library"]
"""The programs that a chart may be rendered by; `helm_named` gives them."""


def helm_named(name: str, folder: Path) -> str:
    """The path of a program: helm itself, or the library that answers in its place. Skips the test when there is none."""
    if name == "helm":
        return real_helm()
    if find_spec(LIBRARY) is None:
        pytest.skip("no wheel of helm's library for this machine")
    program = folder / BY_LIBRARY
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {helm_child.__file__} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def toy_helm(folder: Path) -> str:
    """The path of a program that answers as helm does, for charts whose templates only name values: for tests that are not about charts.

    The suite over renderers (tests/contracts) holds it and helm to the same answers.
    """
    program = folder / "toy-helm"
    program.write_text(f"#!{sys.executable}\n{TOY}", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


TOY = r"""
import json, os, pathlib, re, sys
import yaml

def merged(under, over):
    both = isinstance(under, dict) and isinstance(over, dict)
    return {**under, **{key: merged(under.get(key), value) for key, value in over.items()}} if both else over

words = sys.argv[1:]
if words[0] == "version":
    print("v4.0.0", end="")
    sys.exit()
release, chart = words[1], pathlib.Path(words[2])
said, files, namespace = yaml.safe_load((chart / "Chart.yaml").read_text()), [], "default"
for word, value in zip(words, words[1:]):
    namespace = value if word == "--namespace" else namespace
    files += [value] if word == "--values" else []
values = yaml.safe_load((chart / "values.yaml").read_text()) if (chart / "values.yaml").exists() else {}
for file in files:
    values = merged(values, yaml.safe_load(pathlib.Path(file).read_text()) or {})
for place, value in (value.split("=", 1) for word, value in zip(words, words[1:]) if word == "--set-json"):
    inner = json.loads(value)
    for part in reversed(place.split(".")):
        inner = {part: inner}
    values = merged(values, inner)
known = {"Values": values, "Release": {"Name": release, "Namespace": namespace}, "Chart": {"AppVersion": said.get("appVersion", "")}}

def answer(found):
    value = known
    for part in found[1].split("."):
        if not isinstance(value, dict) or part not in value:
            sys.exit("Error: %s/templates/%s:1: nil pointer evaluating interface {}.%s" % (said["name"], template.name, part))
        value = value[part]
    return str(value)

for template in sorted((chart / "templates").rglob("*.yaml")):
    name = template.relative_to(chart).as_posix()
    print("---\n# Source: %s/%s" % (said["name"], name))
    text = re.sub(r"\{\{\s*\.([\w.]+)\s*\}\}", answer, template.read_text())
    try:
        list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        place = (said["name"], name, error.problem_mark.line + 1)
        sys.exit("Error: YAML parse error on %s/%s: error converting YAML to JSON: yaml: line %d" % place)
    print(text)
"""
