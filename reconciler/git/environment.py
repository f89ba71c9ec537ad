"""The fixed world that every git process lives in, whatever the user's own configuration says."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from reconciler.git.credentials import NO_SSH_FILES, CredentialSource, SshFiles, nobody
from reconciler.kernel.address import split_address
from reconciler.kernel.errors import Terminal

SCP_LIKE = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!//)\S+")
SCHEMES = ("https", "http", "ssh", "file")
CONFIGURATION: Mapping[str, str] = {
    "advice.fetchShowForcedUpdates": "false",
    "core.bigFileThreshold": "1m",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.quotePath": "false",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "protocol.version": "2",
    "safe.directory": "*",
    "transfer.credentialsInUrl": "die",
}
# Keys come from the agent's socket or the files of the settings; everything else of ssh is fixed.
SSH = "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20"
PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""What curl reads, and so git."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
INHERITED_BUT_NAMED_OTHERWISE = ("SSH_ASKPASS", "SSH_ASKPASS_REQUIRE")


@dataclass(frozen=True, slots=True)
class Remote:
    """One repository elsewhere and how to prove who we are. Build it with `remote_of`, which checks the address."""

    url: str
    scheme: str
    credential: CredentialSource = nobody
    ssh: SshFiles = NO_SSH_FILES


def is_ssh(url: str) -> bool:
    """True for an address that is reached by ssh."""
    return bool(SCP_LIKE.fullmatch(url)) or split_address(url).scheme == "ssh"


def remote_of(url: str, credential: CredentialSource = nobody, ssh: SshFiles = NO_SSH_FILES) -> Remote:
    """The remote at an address. Raises Terminal for addresses that are not safe to use, saying what to write instead."""
    if SCP_LIKE.fullmatch(url):
        return Remote(url, "ssh", credential, ssh)
    if url.startswith("/"):
        return Remote(url, "file", credential)
    parts = split_address(url)
    if parts.scheme not in SCHEMES or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise Terminal("a repository's address must be https://, ssh://, file:// or http:// on this machine")
    if parts.password is not None or (parts.username and parts.scheme != "ssh"):
        raise Terminal(f"the address of {parts.hostname} holds a credential; put it into `credentials` with a passwordFile")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Terminal(f"http://{parts.hostname} would send manifests and credentials in the clear; use https://")
    return Remote(url, parts.scheme, credential, ssh)


def is_loopback(host: str) -> bool:
    """True when a host name can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def environment(
    home: Path, scheme: str = "", ssh: SshFiles = NO_SSH_FILES, configuration: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """The variables of one git process; `scheme` is the only transport it may use, none when empty; `configuration` comes on top of ours.

    Raises Transient while the files that ssh needs cannot be used.
    """
    wanted = {**CONFIGURATION, **configuration}
    fixed = {
        "GIT_ALLOW_PROTOCOL": scheme or "none",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": str(len(wanted)),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_SSH_COMMAND": SSH + ssh.options(),
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": str(home),
        "LANGUAGE": "C",
        "LC_ALL": "C",
        "XDG_CONFIG_HOME": str(home),
    }
    fixed |= _network()
    for position, (key, value) in enumerate(wanted.items()):
        fixed[f"GIT_CONFIG_KEY_{position}"] = key
        fixed[f"GIT_CONFIG_VALUE_{position}"] = value
    return fixed


def _network() -> dict[str, str]:
    """How others are reached, as our own client does (`reconciler.web.client`): never this machine by a proxy, and whom to trust."""
    found: dict[str, str] = {}
    if any(os.environ.get(name) for name in PROXIES):
        excepted = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), *LOOPBACK)))
        found = {"NO_PROXY": excepted, "no_proxy": excepted}
    authorities = os.environ.get("SSL_CERT_FILE")
    return {**found, "GIT_SSL_CAINFO": authorities} if authorities else found


def unwanted(kept: Mapping[str, str]) -> list[str]:
    """The variables of our own environment that would steer git behind our back."""
    names = [name for name in os.environ if name.startswith("GIT_") or name in INHERITED_BUT_NAMED_OTHERWISE]
    return sorted(name for name in names if name not in kept)
