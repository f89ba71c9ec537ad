"""The environment of a container, and the expansion of `$(NAME)` in its command line as the kubelet does it."""

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.objects import Key, Manifest, one
from reconciler_sandbox.node.syntax import Unsupported

LOOKUP_TIMEOUT = 10.0
REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Text with `$(NAME)` replaced for known names; `$$` is a dollar sign, unknown names stay."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[1] is None else variables.get(found[1], found[0])

    return REFERENCE.sub(value, text)


async def environment(client: ApiClient, pod: Manifest, container: Manifest, address: str) -> dict[str, str]:
    """The variables of a container. Raises Unsupported for a source the sandbox does not know."""
    if container.get("envFrom"):
        raise Unsupported("envFrom")
    variables: dict[str, str] = {}
    for entry in container.get("env") or ():
        source = entry.get("valueFrom")
        if not source:
            variables[entry["name"]] = expanded(entry.get("value", ""), variables)
            continue
        value = await _from_source(client, pod, source, address)
        if value is not None:
            variables[entry["name"]] = value
    return variables


async def _from_source(client: ApiClient, pod: Manifest, source: Manifest, address: str) -> str | None:
    kind, reference = next(iter(source.items()))
    if kind == "fieldRef":
        return field_of(pod, reference["fieldPath"], address)
    plural = {"configMapKeyRef": "v1/configmaps", "secretKeyRef": "v1/secrets"}.get(kind)
    if plural is None:
        raise Unsupported(f"env from {kind}")
    async with asyncio.timeout(LOOKUP_TIMEOUT):
        found = await client.get(one(plural, Key(pod["metadata"]["namespace"], reference["name"])))
    value = ((found or {}).get("data") or {}).get(reference["key"])
    if value is None and not reference.get("optional"):
        raise Unsupported(f"env from {kind} {reference['name']}: the key {reference['key']} does not exist")
    return base64.b64decode(value).decode() if value is not None and kind == "secretKeyRef" else value


def field_of(pod: Manifest, path: str, address: str) -> str:
    """The pod's field that a fieldRef names."""
    keyed = KEYED.fullmatch(path)
    if keyed is not None:
        return str((pod["metadata"].get(keyed[1]) or {}).get(keyed[2], ""))
    simple = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.podIP": address,
    }
    if path not in simple:
        raise Unsupported(f"env from the field {path}")
    return str(simple[path])


def command_line(container: Manifest, variables: Mapping[str, str]) -> list[str]:
    """The words a container runs; an image named after curl starts curl when the container names no command."""
    words: Sequence[str] = [*(container.get("command") or ()), *(container.get("args") or ())]
    if not container.get("command") and "curl" in container.get("image", ""):
        words = ["curl", *words]
    return [expanded(word, variables) for word in words]
