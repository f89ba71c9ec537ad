"""The four kinds of patches: from a Content-Type, a body and the present object to the new object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.apiserver import lastapplied, merge, strategic
from reconciler_sandbox.apiserver.applying import Applied, apply
from reconciler_sandbox.apiserver.bodies import PATCH_APPLY, PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, decode, media_type
from reconciler_sandbox.apiserver.failures import Failure, bad_patch, bad_request, unsupported_media_type
from reconciler_sandbox.apiserver.kinds import Kind, as_served
from reconciler_sandbox.apiserver.known import WrongType, known
from reconciler_sandbox.apiserver.metadata import addressed
from reconciler_sandbox.apiserver.options import WriteOptions
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.shapes import shape_of

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch as it came: its media type and its decoded body."""

    style: str
    value: Any

    @property
    def applies(self) -> bool:
        """Whether it is a server-side apply, which also creates."""
        return self.style == PATCH_APPLY


def parse(kind: Kind, headers: Mapping[str, str], body: bytes) -> Patch:
    """The patch in a request. Raises Failure 415 for a type that the kind does not take."""
    style = media_type(headers)
    accepted = [PATCH_JSON, PATCH_MERGE, *([] if kind.custom else [PATCH_STRATEGIC]), PATCH_APPLY]
    if style not in accepted:
        listed = ", ".join(accepted)
        raise unsupported_media_type(f"the body of the request was in an unknown format - accepted media types include: {listed}")
    patch = Patch(style, decode(headers, body))
    if style != PATCH_JSON and not isinstance(patch.value, dict):
        raise bad_request("the patch is not an object")
    return patch


def patched(target: Target, old: Manifest, patch: Patch, options: WriteOptions, moment: str) -> Manifest:
    """The object after the patch, not yet validated."""
    served = as_served(target.kind, old)
    if patch.applies:
        return applied(target, served, patch.value, options, moment)
    try:
        new = CHANGES[patch.style](served, patch.value)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise bad_patch(f"the patch does not fit the object: {error}"[:300]) from error
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise Failure(422, "Invalid", ' "" is invalid: patch: Invalid value: the result is no object with metadata')
    return new


CHANGES: Mapping[str, Any] = {PATCH_MERGE: merge.merge, PATCH_STRATEGIC: strategic.merge, PATCH_JSON: merge.apply_operations}


def applied(target: Target, live: Manifest, config: Manifest, options: WriteOptions, moment: str) -> Manifest:
    """The object after a server-side apply; an empty `live` is a creation."""
    kind = target.kind
    if not options.named:
        cause = "Required value: is required for apply patch"
        causes = [{"reason": "FieldValueRequired", "message": cause, "field": "fieldManager"}]
        details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": causes}
        raise Failure(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: {cause}', details)
    if config.get("apiVersion") != kind.api_version:
        specified = f"Specified patch version: {config.get('apiVersion') or ''}, expected: {kind.api_version}"
        raise bad_request(f"Incorrect version specified in apply patch. {specified}")
    addressed(target, config)
    _declared(target, config)
    shape = shape_of(kind.schema)
    try:
        ceded = lastapplied.ceded(live, shape) if options.manager == lastapplied.KUBECTL else frozenset()
        who = Applied(options.manager, kind.api_version, target.subresource, moment, options.force, ceded)
        new = apply(live, config, shape, who)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise bad_request(f"failed to create typed patch object: {error}"[:300]) from error
    if options.manager == lastapplied.KUBECTL:
        new = lastapplied.brought_up_to_date(new, config)
    version = (config.get("metadata") or {}).get("resourceVersion")
    return {**new, "metadata": {**new["metadata"], "resourceVersion": version}} if version else new


def _declared(target: Target, config: Manifest) -> None:
    """Refuse what no object of a built-in kind has; what the schema of a custom one does not know is left to its pruning."""
    if target.kind.custom:
        return
    try:
        _, unknown = known(target.kind, config)
    except WrongType as error:
        raise untyped(target, f".{error.path}: {error.why}") from error
    if unknown:
        raise untyped(target, f".{unknown[0]}: field not declared in schema")


def untyped(target: Target, why: str) -> Failure:
    """An applied configuration that does not fit its kind, in the words of a real server."""
    where = f"{target.namespace}/{target.name}; {target.kind.api_version}, Kind={target.kind.kind}"
    return Failure(500, "", f"failed to create typed patch object ({where}): {why}")
