"""What a version is made of, kept in its Release: so that it is recognised in the cluster and restored without its commit. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from reconciler.kernel.identity import Manifest
from reconciler.releases.model import Content
from reconciler.sources.documents import Parsed
from reconciler.sources.templates import CONFIG_PARTS, Workload, content_hash, referenced_config

LARGEST = 200_000
"""Bytes of JSON; a larger version is not kept, so that a Release stays far below what etcd takes."""
LIST_KEYS = ("name", "mountPath", "containerPort", "key", "topologyKey")


def content_of(parsed: Parsed, workload: Workload) -> Content:
    """The content of a workload as its source has it; nothing but the template where the whole would be too large."""
    config = referenced_config(parsed, workload)
    kept = tuple(_kept(located.manifest) for located in config if located.key[0] == "ConfigMap")
    secrets = {located.key[2]: content_hash(located) for located in config if located.key[0] == "Secret"}
    whole = Content(template=dict(workload.pod_template), config=kept, secrets=secrets)
    return whole if _size(whole) <= LARGEST else Content(template=_within(workload.pod_template), secrets=secrets, cut=True)


def covers(asked: Any, live: Any) -> bool:
    """True when all that is asked for lives. More may live: admission adds to it. Items of a list are compared by their names."""
    if isinstance(asked, Mapping):
        return isinstance(live, Mapping) and all(covers(value, live.get(key)) for key, value in asked.items() if value is not None)
    if isinstance(asked, list):
        return isinstance(live, list) and _list_covers(asked, live)
    return bool(asked == live) or str(asked) == str(live)


def _list_covers(asked: list[Any], live: list[Any]) -> bool:
    key = next((k for k in LIST_KEYS if asked and all(isinstance(item, Mapping) and k in item for item in asked)), None)
    if key is None:
        return len(asked) <= len(live) and all(covers(one, other) for one, other in zip(asked, live, strict=False))
    named = {item.get(key): item for item in live if isinstance(item, Mapping)}
    return all(covers(item, named.get(item[key])) for item in asked)


def _kept(manifest: Manifest) -> Manifest:
    metadata = {key: manifest["metadata"][key] for key in ("name", "namespace") if manifest["metadata"].get(key)}
    parts = {part: manifest[part] for part in CONFIG_PARTS if manifest.get(part)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **parts}


def _within(template: Mapping[str, Any]) -> dict[str, Any]:
    return dict(template) if len(orjson.dumps(template)) <= LARGEST else {}


def _size(content: Content) -> int:
    return len(orjson.dumps(content.template)) + sum(len(orjson.dumps(config)) for config in content.config)
