"""Where the cluster is and who we are there: kubeconfig and in-cluster credentials, read by the official client."""

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.http import Endpoint


def endpoint(kubeconfig: str | None, context: str | None = None) -> Endpoint:
    """The cluster of a kubeconfig file, else of $KUBECONFIG or ~/.kube/config, else the one we run in.

    Raises Terminal with what to do when there is none. Exec plug-ins and the service account's token are renewed by the official client.
    """
    configuration = _load(kubeconfig, context)

    async def authorization() -> str:
        if configuration.refresh_api_key_hook is None:
            return _authorization(configuration)
        return await asyncio.to_thread(_authorization, configuration)  # a plug-in may be run, a file read

    return Endpoint(str(configuration.host), authorization, _tls(configuration))


def _load(kubeconfig: str | None, context: str | None) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    file = kubeconfig or _default_file()
    loaders: Any = config
    try:
        if file is None:
            loaders.load_incluster_config(client_configuration=configuration)
        else:
            loaders.load_kube_config(config_file=file, context=context, client_configuration=configuration)
    except (config.ConfigException, OSError) as error:
        where = kubeconfig or "$KUBECONFIG, ~/.kube/config or a service account"
        raise Terminal(f"no cluster found in {where}: {str(error).rstrip('.')}. Pass --kubeconfig FILE") from error
    return configuration


def _default_file() -> str | None:
    """$KUBECONFIG or ~/.kube/config; None where neither is there, as in a pod."""
    named = os.environ.get("KUBECONFIG", "")
    if named:
        return named
    usual = Path("~/.kube/config").expanduser()
    return str(usual) if usual.exists() else None


def _authorization(configuration: Any) -> str:
    """The header of a token, refreshed when its file or plug-in says it is old; the client keeps it under either name."""
    from kubernetes.config import ConfigException

    try:
        value = str(configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or "").strip()
    except (ConfigException, OSError) as error:
        raise Transient(f"the token for {configuration.host} cannot be renewed: {error}") from error
    return value if not value or " " in value else f"Bearer {value}"


def _tls(configuration: Any) -> ssl.SSLContext | None:
    if not str(configuration.host).startswith("https"):
        return None
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
