"""Where the cluster is and who we are there: kubeconfig and in-cluster credentials, read by the official client."""

import asyncio
import errno
import logging
import os
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.unusable import reason_of
from reconciler.kube.http import Endpoint

DEFAULT = "default"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def endpoint(kubeconfig: str | None, context: str | None = None) -> Endpoint:
    """The cluster of a kubeconfig file, else of $KUBECONFIG or ~/.kube/config, else the one we run in.

    Raises Terminal with what to do when there is none. Exec plug-ins and the service account's token are renewed by the official client.
    """
    with _readable(kubeconfig):
        configuration = _load(kubeconfig, context)
        server = _address(str(configuration.host))
        tls = _tls(configuration)

    async def authorization() -> str:
        if configuration.refresh_api_key_hook is None:
            return _authorization(configuration)
        return await asyncio.to_thread(_authorization, configuration)  # a plug-in may be run, a file read

    return Endpoint(server, authorization, tls)


def namespace_of_context(kubeconfig: str | None, context: str | None = None) -> str:
    """The namespace that a context names, as kubectl takes it: `default` where it names none, a pod's own one in a cluster."""
    file = kubeconfig or _default_file()
    if file is None:
        return SERVICE_ACCOUNT.read_text().strip() if SERVICE_ACCOUNT.exists() else DEFAULT
    with _readable(kubeconfig):
        from kubernetes import config

        loaders: Any = config
        contexts, current = loaders.list_kube_config_contexts(config_file=file)
        chosen = next((known for known in contexts if known["name"] == context), None) if context else current
        return str(((chosen or {}).get("context") or {}).get("namespace") or DEFAULT)


def context_name(kubeconfig: str | None) -> str:
    """The current context's name; empty without a kubeconfig, as in a pod."""
    file = kubeconfig or _default_file()
    if file is None:
        return ""
    with _readable(kubeconfig):
        from kubernetes import config

        loaders: Any = config
        _, current = loaders.list_kube_config_contexts(config_file=file)
        return str((current or {}).get("name") or "")


@contextmanager
def _readable(kubeconfig: str | None) -> Iterator[None]:
    """Turns whatever the official client says of a file that it cannot use into one line."""
    from kubernetes.config import ConfigException

    where = kubeconfig or "$KUBECONFIG, ~/.kube/config or a service account"
    try:
        if kubeconfig and not any(Path(file).exists() for file in kubeconfig.split(os.pathsep)):
            raise FileNotFoundError(errno.ENOENT, "no such file", kubeconfig)
        yield
    except OSError as error:
        file = f"{error.filename}: " if error.filename and error.filename != kubeconfig else ""
        raise Terminal(f"no cluster found in {where}: {file}{reason_of(error)}. Pass --kubeconfig FILE") from error
    except ConfigException as error:
        raise Terminal(f"no cluster found in {where}: {_line(error)}. Pass --kubeconfig FILE") from error
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        # The loader trusts the shape of the file: a list, a number or a missing name ends in whatever Python says of it.
        raise Terminal(f"no cluster found in {where}: it is no kubeconfig: {_line(error)}. Pass --kubeconfig FILE") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _address(host: str) -> str:
    """The server's address, if it is one. Raises ValueError."""
    parts = urlsplit(host)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"server {host!r} is no address; write for example https://192.0.2.1:6443")
    return host


def _load(kubeconfig: str | None, context: str | None) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    file = kubeconfig or _default_file()
    loaders: Any = config
    with _heard() as said:
        if file is None:
            loaders.load_incluster_config(client_configuration=configuration)
        else:
            loaders.load_kube_config(config_file=file, context=context, client_configuration=configuration)
    if said and not configuration.api_key and not configuration.cert_file:
        words = re.sub(r"^\[Errno \d+\] ", "", said[-1])
        raise config.ConfigException(f"the user's credential plug-in gave nothing ({words})")
    return configuration


@contextmanager
def _heard() -> Iterator[Sequence[str]]:
    """What the official client only logs: why a credential plug-in failed, after which it goes on without a credential."""
    said: list[str] = []

    def hear(record: logging.LogRecord) -> bool:
        said.append(record.getMessage())
        return False

    root = logging.getLogger()
    root.addFilter(hear)
    try:
        yield said
    finally:
        root.removeFilter(hear)


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
        words = reason_of(error) if isinstance(error, OSError) else _line(error)
        raise Transient(f"the token for {configuration.host} cannot be renewed: {words}; check the user in the kubeconfig") from error
    return value if not value or " " in value else f"Bearer {value}"


def _tls(configuration: Any) -> ssl.SSLContext | None:
    if not str(configuration.host).startswith("https"):
        return None
    with _pem("certificate-authority"):
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        with _pem("client-certificate with its client-key"):
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


@contextmanager
def _pem(field: str) -> Iterator[None]:
    """Says which field of the kubeconfig holds no certificate, in place of what OpenSSL says of it."""
    from kubernetes.config import ConfigException

    try:
        yield
    except ssl.SSLError as error:
        raise ConfigException(f"{field} (or its -data) holds no certificate in PEM that can be used") from error
