"""The words of `helm:` in a source, strictly (docs/sources.md)."""

import json
import re
from typing import Any

from reconciler.git.environment import is_loopback
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.sources.charts import ChartRegistry, usable
from reconciler.sources.settings import HelmSettings

RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
KUBE_VERSION = re.compile(r"v?\d+\.\d+(\.\d+)?([-+][A-Za-z0-9.+-]*)?")
API_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]*")
PLACE = re.compile(r"[A-Za-z0-9_][^=,\s]*")
PROGRAM = re.compile(r"[^\s-][^\n]*")


def helm_settings(fields: StrictFields) -> HelmSettings:
    """How a chart is rendered. Raises FieldError naming the first wrong field."""
    settings = HelmSettings(
        program=_matching(fields, "program", PROGRAM, "a program's name or path") or "helm",
        release=_matching(fields, "releaseName", RELEASE, "a release name: at most 53 small letters, digits and dashes"),
        namespace=_matching(fields, "namespace", NAMESPACE, "the name of a namespace"),
        value_files=_value_files(fields),
        values=fields.inner("values", lambda inner: _values(fields, inner)) or {},
        assignments=_assignments(fields),
        kube_version=_matching(fields, "kubeVersion", KUBE_VERSION, "a version of Kubernetes like 1.34 or v1.34.2"),
        api_versions=_api_versions(fields),
        include_crds=fields.flag("includeCRDs", True),
        registries=fields.each("registries", _registry),
    )
    fields.done()
    return settings


def _registry(fields: StrictFields) -> ChartRegistry:
    """A repository of charts, an OCI registry, or where several are; with a user name and the file of a password where it asks for one."""
    url, username, password_file = fields.text("url"), fields.text("username", ""), fields.text("passwordFile", "")
    fields.done()
    if not usable(url):
        words = (
            "expected an address like https://charts.example.com/stable or oci://registry.example.com/charts, without credentials or query"
        )
        raise FieldError(fields.path("url"), words)
    if url.startswith("http://") and not is_loopback(url.removeprefix("http://").partition("/")[0].partition(":")[0]):
        raise FieldError(fields.path("url"), "anybody on the way could change what is fetched: use https")
    if bool(username) != bool(password_file):
        raise FieldError(fields.path("passwordFile" if username else "username"), "username and passwordFile are written together")
    return ChartRegistry(url=url, username=username, password_file=password_file)


def _matching(fields: StrictFields, name: str, pattern: re.Pattern[str], words: str) -> str:
    """An optional text that has to have a form."""
    return fields.matching(name, pattern, words) if fields.text(name, "") else ""


def _value_files(fields: StrictFields) -> tuple[str, ...]:
    names = fields.texts("valueFiles")
    for index, name in enumerate(names):
        if "://" in name:
            raise FieldError(f"{fields.path('valueFiles')}[{index}]", f"{name!r} is elsewhere, and nothing is fetched: commit a copy")
        if not name.strip("/") or "\\" in name or not name.isprintable():
            raise FieldError(f"{fields.path('valueFiles')}[{index}]", f"{name!r} is no file: write its name from the chart's folder on")
    return names


def _values(outer: StrictFields, inner: StrictFields) -> dict[str, Any]:
    """Whatever JSON can say: keys are texts, and there are no dates."""
    found = outer.raw("values")
    try:
        written = json.dumps(found, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise FieldError(outer.path("values"), f"holds a value that JSON does not have ({error}): put it in quotes") from error
    loaded: dict[str, Any] = json.loads(written)
    return loaded


def _assignments(fields: StrictFields) -> dict[str, str | bool | int | float]:
    found = fields.raw("set")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise FieldError(fields.path("set"), "expected a mapping of dotted paths, like {image.tag: '1.2'}")
    for place, value in found.items():
        if not isinstance(place, str) or not PLACE.fullmatch(place):
            raise FieldError(fields.path("set"), f"{place!r} is no path of a value, like image.tag")
        if not isinstance(value, str | bool | int | float):
            raise FieldError(fields.path("set"), f"{place} expects one text, number, true or false; write anything larger in values")
    return dict(found)


def _api_versions(fields: StrictFields) -> tuple[str, ...]:
    names = fields.texts("apiVersions")
    for index, name in enumerate(names):
        if not API_VERSION.fullmatch(name):
            raise FieldError(f"{fields.path('apiVersions')}[{index}]", f"{name!r} is no API version like argoproj.io/v1alpha1")
    return names
