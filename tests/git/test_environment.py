"""The world of a git process: fixed, and only with remotes that are safe to use."""

from pathlib import Path

import pytest

from reconciler.git.environment import PROXIES, environment, is_loopback, remote_of, unwanted
from reconciler.kernel.errors import Terminal


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("https://git.example.com/a.git", "https"),
        ("http://127.0.0.1:8080/a.git", "http"),
        ("http://[::1]:8080/a.git", "http"),
        ("http://localhost/a.git", "http"),
        ("ssh://git@h/a.git", "ssh"),
        ("git@github.com:a/b.git", "ssh"),
        ("file:///srv/a.git", "file"),
        ("/srv/a.git", "file"),
    ],
)
def test_an_address_has_one_transport(url: str, scheme: str) -> None:
    assert remote_of(url).scheme == scheme
    assert environment(Path("/h"), scheme)["GIT_ALLOW_PROTOCOL"] == scheme


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a",
        "ext::sh -c id",
        "git://h/a",
        "-oProxyCommand=id",
        "a/b",
        "",
        "https://h/a b",
        "https://h/\na",
        "--upload-pack=id",
        "ftp://h/a",
    ],
)
def test_an_unsafe_address_is_refused(url: str) -> None:
    with pytest.raises(Terminal):
        remote_of(url)


@pytest.mark.parametrize("url", ["https://user:s3cret@h/a", "https://s3cret@h/a"])
def test_a_credential_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Terminal) as error:
        remote_of(url)
    assert "s3cret" not in str(error.value)


def test_a_name_that_only_looks_local_is_not() -> None:
    assert not is_loopback("localhost.example.com")
    assert not is_loopback("127.0.0.1.example.com")


def test_no_transport_is_allowed_without_a_remote() -> None:
    assert environment(Path("/h"))["GIT_ALLOW_PROTOCOL"] == "none"


def test_this_machine_is_never_reached_by_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*PROXIES, "NO_PROXY", "no_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert not {"NO_PROXY", "no_proxy", "GIT_SSL_CAINFO"} & environment(tmp_path).keys()
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", ".internal")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/ours.pem")
    found = environment(tmp_path)
    assert found["NO_PROXY"] == found["no_proxy"] == ".internal,localhost,127.0.0.1,::1"
    assert found["GIT_SSL_CAINFO"] == "/etc/ssl/ours.pem"


def test_inherited_git_variables_are_unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("SSH_ASKPASS", "/bin/x")
    found = unwanted(environment(Path("/h")))
    assert {"GIT_DIR", "SSH_ASKPASS"} <= set(found)
    assert "GIT_TERMINAL_PROMPT" not in found
