"""Where the cluster is and who we are there: kubeconfig and in-cluster credentials, read by the official client."""

import asyncio
import ssl
from typing import Any

from reconciler.kube.http import Endpoint
from reconciler.model.errors import Terminal


def endpoint(kubeconfig: str | None, context: str | None = None) -> Endpoint:
    """The cluster of a kubeconfig file, else of $KUBECONFIG or ~/.kube/config, else the one we run in.

    Raises Terminal with what to do when there is none. Exec plug-ins and token files are refreshed by the official client.
    """
    configuration = _load(kubeconfig, context)

    async def authorization() -> str:
        return await asyncio.to_thread(_authorization, configuration)

    return Endpoint(str(configuration.host), authorization, _tls(configuration))


def _load(kubeconfig: str | None, context: str | None) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    try:
        load: Any = config.load_config
        load(config_file=kubeconfig, context=context, client_configuration=configuration)
    except (config.ConfigException, OSError) as error:
        where = kubeconfig or "$KUBECONFIG, ~/.kube/config or a service account"
        raise Terminal(f"no cluster found in {where}: {error}. Pass --kubeconfig FILE") from error
    return configuration


def _authorization(configuration: Any) -> str:
    return str(configuration.get_api_key_with_prefix("authorization") or "")


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
