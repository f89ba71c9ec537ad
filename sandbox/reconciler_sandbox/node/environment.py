"""The environment of a container, and the expansion of `$(NAME)` in its command line as the kubelet does it."""

import re
from collections.abc import Mapping, Sequence

from reconciler_sandbox.controllers.objects import Manifest
from reconciler_sandbox.node.unsupported import Unsupported

REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Text with `$(NAME)` replaced for known names; `$$` is a dollar sign, unknown names stay."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[1] is None else variables.get(found[1], found[0])

    return REFERENCE.sub(value, text)


def environment(container: Manifest) -> dict[str, str]:
    """The variables that a container writes down. Raises Unsupported for those that come from elsewhere."""
    if container.get("envFrom"):
        raise Unsupported("envFrom")
    variables: dict[str, str] = {}
    for entry in container.get("env") or ():
        if entry.get("valueFrom"):
            raise Unsupported(f"env from {next(iter(entry['valueFrom']))}")
        variables[entry["name"]] = expanded(entry.get("value", ""), variables)
    return variables


def command_line(container: Manifest, variables: Mapping[str, str]) -> list[str]:
    """The words a container runs; an image named after curl starts curl when the container names no command."""
    words: Sequence[str] = [*(container.get("command") or ()), *(container.get("args") or ())]
    if not container.get("command") and "curl" in container.get("image", ""):
        words = ["curl", *words]
    return [expanded(word, variables) for word in words]
