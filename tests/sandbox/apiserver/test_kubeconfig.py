"""The kubeconfig of a server."""

import yaml
from reconciler_sandbox.apiserver.kubeconfig import kubeconfig


def test_it_names_the_server_and_a_user_without_a_secret() -> None:
    config = yaml.safe_load(kubeconfig("http://127.0.0.1:1"))
    assert config["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:1"} and config["users"][0]["user"] == {}
    assert config["current-context"] == config["contexts"][0]["name"]
