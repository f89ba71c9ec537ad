"""Request bodies: JSON or YAML to plain values, with limits that a hostile body meets first."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import yaml

from reconciler_sandbox.apiserver.failures import BODY_LIMIT, Failure, bad_request, too_large, unsupported_media_type

MAX_DEPTH = 100
MAX_NODES = 500_000
PROTOBUF = "application/vnd.kubernetes.protobuf"
PATCH_JSON = "application/json-patch+json"
PATCH_MERGE = "application/merge-patch+json"
PATCH_STRATEGIC = "application/strategic-merge-patch+json"
PATCH_APPLY = "application/apply-patch+yaml"
MAGIC = b"k8s\0"
"""What every protobuf of Kubernetes begins with."""

OBJECTS = ("application/json", "application/yaml")
PATCHES = (PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY)
NO_PROTOBUF = "write the object as a manifest and use `kubectl apply -f` (or `kubectl create -f`), which send JSON"


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: times stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def media_type(headers: Mapping[str, str]) -> str:
    """The Content-Type without parameters; empty if there is none."""
    return header(headers, "content-type").partition(";")[0].strip().lower()


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its name in lower case, however the caller wrote it."""
    found = headers.get(name)
    if found is not None:
        return found
    return next((value for key, value in headers.items() if key.lower() == name), "")


def decode(headers: Mapping[str, str], body: bytes) -> Any:
    """The value in a body; an empty body is None. Raises Failure 400, 413 or 415."""
    if len(body) > BODY_LIMIT:
        raise too_large()
    kind = media_type(headers)
    if kind == PROTOBUF or body.startswith(MAGIC):
        raise unsupported_media_type(f"the sandbox reads no protobuf; {NO_PROTOBUF}")
    if kind not in ("", *OBJECTS, *PATCHES):
        raise _unknown_format()
    if not body.strip():
        return None
    value = _parse(kind, body)
    _bound(value, body)
    return value


def _unknown_format() -> Failure:
    accepted = ", ".join(OBJECTS)
    return unsupported_media_type(f"the body of the request was in an unknown format - accepted media types include: {accepted}")


def decode_object(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The object in a body; an empty body is an empty object."""
    if media_type(headers) in PATCHES:
        raise _unknown_format()
    value = decode(headers, body)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request("the object provided is unrecognized (must be of type Object): it is not a map")
    return value


def _parse(kind: str, body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        if "yaml" not in kind:
            raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    return _parse_yaml(body)


def _parse_yaml(body: bytes) -> Any:
    if body.count(b"[") + body.count(b"{") > 20_000:
        raise bad_request("error converting YAML to JSON: too many nested collections")
    try:
        value = yaml.load(body, Loader=_Loader)  # a safe loader with fewer resolvers
        _bound(value, b"")
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, orjson.JSONEncodeError, RecursionError, ValueError) as error:
        text = re.sub(r"\s+", " ", str(error))[:200]
        raise bad_request(f"error converting YAML to JSON: {text}") from error


def _bound(value: Any, body: bytes) -> None:
    """Refuse what is nested so deep, or shared so often, that walking or writing it would hurt.

    A JSON body with few brackets cannot be deep; a YAML body (given as empty here) can share one node a million times.
    """
    if body and body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    level, depth, nodes = [value], 0, 0
    while level:
        nodes += len(level)
        depth += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise bad_request(f"the body is nested too deeply or too large (limits: {MAX_DEPTH} levels, {MAX_NODES} values)")
        level = [inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)]


def failure_of(error: Exception) -> Failure:
    """What a client is told of a bug in the server."""
    return Failure(500, "InternalError", f"Internal error occurred: {type(error).__name__}: {error}"[:500])
