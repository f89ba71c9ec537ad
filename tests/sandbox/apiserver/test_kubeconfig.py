"""The kubeconfig of a server."""

import yaml
from reconciler_sandbox.apiserver.kubeconfig import kubeconfig


def test_it_names_the_server_and_the_user() -> None:
    config = yaml.safe_load(kubeconfig("http://127.0.0.1:1", ""))
    assert config["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:1"} and config["users"][0]["user"] == {}
    assert config["current-context"] == config["contexts"][0]["name"]


def test_a_test_certificate_is_not_verified_and_a_token_is_kept() -> None:
    config = yaml.safe_load(kubeconfig("https://127.0.0.1:1", "t"))
    assert config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] is True and config["users"][0]["user"] == {"token": "t"}


def test_an_authority_is_trusted_instead() -> None:
    cluster = yaml.safe_load(kubeconfig("https://127.0.0.1:1", "t", "pem"))["clusters"][0]["cluster"]
    assert cluster == {"server": "https://127.0.0.1:1", "certificate-authority-data": "cGVt"}
