"""Builders for source files: show only what a test is about."""

from collections.abc import Mapping

from reconciler.git.objects import Snapshot
from reconciler.sources.documents import Parsed, manifests_of


def deployment(name: str = "web", image: str = "registry.example.com/web:1.0", extra: str = "", *, replicas: int = 2, pod: str = "") -> str:
    """A Deployment of one container; `extra` are further lines of that container (indented by ten), `pod` of the pod (by six)."""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  replicas: {replicas}\n"
        f"  selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n"
        f"    spec:\n{pod}      containers:\n        - name: {name}\n          image: {image}\n{extra}"
    )


def snapshot(files: Mapping[str, str | bytes], commit: str = "c0ffee") -> Snapshot:
    return Snapshot(commit, "7ree", {name: text.encode() if isinstance(text, str) else text for name, text in files.items()})


def parsed(**files: str | bytes) -> Parsed:
    """A source whose files are named after the arguments: `web=...` is `web.yaml`."""
    return manifests_of(snapshot({f"{name}.yaml": text for name, text in files.items()}))
