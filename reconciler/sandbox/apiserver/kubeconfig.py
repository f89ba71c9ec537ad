"""The kubeconfig of a running server."""

import yaml

NAME = "sandbox"


def kubeconfig(url: str, token: str) -> str:
    """YAML for kubectl. A certificate made for a test is not verified; kubectl sends the token only over https."""
    cluster: dict[str, object] = {"server": url, **({"insecure-skip-tls-verify": True} if url.startswith("https:") else {})}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": cluster}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
        "users": [{"name": NAME, "user": {"token": token} if token else {}}],
    }
    return yaml.safe_dump(document, sort_keys=False)
