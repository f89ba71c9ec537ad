"""Where the cluster is and who we are there: files that people have."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.kernel.errors import Terminal
from reconciler.kube.config import endpoint, namespace_of_context

PLUGIN = """#!/bin/sh
echo x >> "{calls}"
n=$(wc -l < "{calls}" | tr -d ' ')
echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
"status": {{"token": "token-'"$n"'", "expirationTimestamp": "{expires}"}}}}'
"""


def kubeconfig(folder: Path, user: dict[str, Any], server: str = "http://127.0.0.1:8001") -> str:
    file = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}, {"name": "there", "cluster": {"server": "https://there:6443"}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "here", "user": "me"}},
            {"name": "there", "context": {"cluster": "there", "user": "me"}},
        ],
        "users": [{"name": "me", "user": user}],
    }
    file.write_text(yaml.safe_dump(document))
    return str(file)


def plugin(folder: Path, expires: datetime) -> dict[str, Any]:
    script = folder / "plugin.sh"
    script.write_text(PLUGIN.format(calls=folder / "calls", expires=expires.strftime("%Y-%m-%dT%H:%M:%SZ")))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}}


async def test_a_token_becomes_the_header(tmp_path: Path) -> None:
    found = endpoint(kubeconfig(tmp_path, {"token": "abc"}))
    assert (found.server, await found.authorization(), found.tls) == ("http://127.0.0.1:8001", "Bearer abc", None)


async def test_without_a_user_there_is_no_header(tmp_path: Path) -> None:
    assert await endpoint(kubeconfig(tmp_path, {})).authorization() == ""


async def test_another_context_is_another_cluster(tmp_path: Path) -> None:
    found = endpoint(kubeconfig(tmp_path, {"token": "abc"}), "there")
    assert found.server == "https://there:6443"
    assert found.tls is not None and found.tls.check_hostname


async def test_an_exec_plugin_is_asked_again_once_its_token_is_old(tmp_path: Path) -> None:
    expired = endpoint(kubeconfig(tmp_path, plugin(tmp_path, datetime.now(UTC) - timedelta(minutes=1))))
    first, second = await expired.authorization(), await expired.authorization()
    assert first.startswith("Bearer token-") and first != second


async def test_an_exec_plugin_is_not_asked_while_its_token_is_good(tmp_path: Path) -> None:
    fresh = endpoint(kubeconfig(tmp_path, plugin(tmp_path, datetime.now(UTC) + timedelta(hours=1))))
    assert [await fresh.authorization() for _ in range(3)] == ["Bearer token-1"] * 3
    assert (tmp_path / "calls").read_text() == "x\n"


async def test_the_file_of_the_environment_is_used_without_a_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path, {"token": "abc"}))
    assert endpoint(None).server == "http://127.0.0.1:8001"


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"no cluster found in \S*absent: it does not exist\. Pass --kubeconfig FILE"):
        endpoint(str(tmp_path / "absent"))


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="nowhere"):
        endpoint(kubeconfig(tmp_path, {}), "nowhere")


def test_without_any_cluster_every_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Terminal, match=r"\$KUBECONFIG, ~/.kube/config or a service account"):
        endpoint(None)


def test_the_namespace_is_that_of_the_context_else_default(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, {})
    document = yaml.safe_load(Path(file).read_text())
    document["contexts"][1]["context"]["namespace"] = "shop"
    Path(file).write_text(yaml.safe_dump(document))
    assert namespace_of_context(file) == "default"
    assert namespace_of_context(file, "there") == "shop"


@pytest.mark.parametrize("server", ["localhost:6443", "ftp://h", "https://", "https://h:99999", "https://h:x"])
def test_a_server_that_is_no_address_is_said(server: str, tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="no cluster found in"):
        endpoint(kubeconfig(tmp_path, {}, server))


BROKEN = [
    ({"tokenFile": "/absent"}, {}, r"/absent: it does not exist\. Pass --kubeconfig FILE$"),
    ({}, {"certificate-authority": "{pem}"}, r"certificate-authority \(or its -data\) holds no certificate in PEM that can be used"),
    ({}, {"certificate-authority-data": "Z2FyYmFnZQ=="}, r"certificate-authority \(or its -data\) holds no certificate"),
    ({"client-certificate": "{pem}", "client-key": "{pem}"}, {}, r"client-certificate with its client-key .* holds no certificate"),
]


@pytest.mark.parametrize(("user", "cluster", "words"), BROKEN)
def test_what_a_kubeconfig_points_at_is_named_when_it_cannot_be_used(
    tmp_path: Path, user: dict[str, str], cluster: dict[str, str], words: str
) -> None:
    pem = tmp_path / "broken.pem"
    pem.write_text("garbage")
    filled = {key: value.format(pem=pem) for key, value in user.items()}
    file = Path(kubeconfig(tmp_path, filled, "https://127.0.0.1:1"))
    document = yaml.safe_load(file.read_text())
    document["clusters"][0]["cluster"] |= {key: value.format(pem=pem) for key, value in cluster.items()}
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(Terminal, match=words) as raised:
        endpoint(str(file))
    assert "_ssl.c" not in str(raised.value) and "Errno" not in str(raised.value)


def test_a_kubeconfig_that_is_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=rf"^no cluster found in {tmp_path}: it is a folder\. Pass --kubeconfig FILE$"):
        endpoint(str(tmp_path))


def test_a_credential_plug_in_that_cannot_run_is_told_and_nobody_goes_on_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plug-in", "interactiveMode": "Never"}}
    with pytest.raises(Terminal, match=r"credential plug-in gave nothing \(No such file or directory: 'no-such-plug-in'\)"):
        endpoint(kubeconfig(tmp_path, user))
    assert capsys.readouterr() == ("", "")
