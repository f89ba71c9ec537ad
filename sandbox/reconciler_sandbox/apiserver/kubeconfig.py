"""The kubeconfig of a running server."""

import base64

import yaml

NAME = "sandbox"


def kubeconfig(url: str, token: str, authority: str = "") -> str:
    """YAML for kubectl. Without an authority (PEM) the certificate is not verified; kubectl sends the token only over https."""
    cluster: dict[str, object] = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    elif url.startswith("https:"):
        cluster["insecure-skip-tls-verify"] = True
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": cluster}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
        "users": [{"name": NAME, "user": {"token": token} if token else {}}],
    }
    return yaml.safe_dump(document, sort_keys=False)
