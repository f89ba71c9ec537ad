"""Who we are at a service of metrics: the texts of a Secret, read at each use, so that they may rotate."""

import base64
from collections.abc import Mapping

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.resources import SECRETS
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError


async def texts_of(client: Client, namespace: str, name: str) -> Mapping[str, str]:
    """The entries of a Secret. Raises Terminal when it cannot be had, Transient when the Kubernetes API gives no answer."""
    try:
        secret = await client.get(SECRETS, namespace, name)
    except Transient:
        raise
    except ApiError as error:
        raise Terminal(f"secret {namespace}/{name}: {error.message}") from error
    found = secret.get("data") or {}
    try:
        return {str(key): base64.b64decode(value, validate=True).decode().strip() for key, value in found.items()}
    except (TypeError, ValueError) as error:
        raise Terminal(f"secret {namespace}/{name}: an entry is no text") from error


def needed(texts: Mapping[str, str], key: str, where: str) -> str:
    """One entry that a provider cannot do without; Terminal when it is not there, or can be in no header."""
    value = texts.get(key, "")
    if not value:
        raise Terminal(f"{where} has no {key}")
    if not value.isascii() or not value.isprintable():
        raise Terminal(f"{where}: {key} holds signs that no header can carry")
    return value
