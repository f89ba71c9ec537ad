"""What a source may write: the blast radius of one repository (ADR 0019)."""

from reconciler.kernel.identity import Manifest, annotations_of, labels_of, name_of, namespace_of
from reconciler.sources.kinds import group_of, is_namespaced
from reconciler.sources.problem import Mender, Objection, Reason
from reconciler.sources.settings import Allow

IMPLICIT_GROUPS = {"", "apps"}
SOURCE = "reconciler.dev/source"
OWN_MANAGER = "reconciler"
TOOLS_BY_MANAGER = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
}
FLUX = ("kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/")


def kind_word(manifest: Manifest) -> str:
    """How `allow.kinds` names this kind: `Kind` for core and apps, else `Kind.group`."""
    group = group_of(manifest)
    return str(manifest["kind"]) if group in IMPLICIT_GROUPS else f"{manifest['kind']}.{group}"


def described(manifest: Manifest) -> str:
    """How people are told of an object: `Kind namespace/name`."""
    return f"{manifest['kind']} {'/'.join(filter(None, (namespace_of(manifest), name_of(manifest))))}".strip()


def misnamed(manifest: Manifest) -> Objection | None:
    """Why an object of this name cannot be written, whatever its kind; None for a name that a path of the API can hold."""
    name, what = name_of(manifest), described(manifest)
    if not name:
        words = f"a {manifest['kind']} without metadata.name"
        return Objection(Reason.MISNAMED, words, "name it: what is applied again and again needs a name")
    if name in (".", "..") or "/" in name or "%" in name:
        return Objection(Reason.MISNAMED, f'{what}: metadata.name {name!r} may not be "." or "..", nor hold "/" or "%"', "correct the name")
    return None


def no_namespace(manifest: Manifest) -> Objection:
    """What is said of an object of a namespaced kind that names no namespace, wherever that is found out."""
    remedy = "write it into the manifest, or give the source a `namespace:` for all objects without one"
    return Objection(Reason.NO_NAMESPACE, f"{described(manifest)}: has no metadata.namespace", remedy)


def refusal(manifest: Manifest, allow: Allow, namespaced: bool | None = None) -> Objection | None:
    """Why a source may not write this object, with what to change; None when it may. `namespaced` is what the server says of the kind."""
    word, namespace = kind_word(manifest), namespace_of(manifest)
    what = f"{manifest['kind']} {namespace or '(cluster)'}/{name_of(manifest)}"
    scoped = is_namespaced(manifest) if namespaced is None else namespaced
    if word not in allow.kinds:
        return _not_allowed(f"{what}: kind {word} is not in this source's allow.kinds")
    if scoped is False or (scoped is None and not namespace):
        return None  # where only the server can tell the scope, it is told when the server serves the kind
    if not namespace:
        return no_namespace(manifest)
    if namespace not in allow.namespaces:
        return _not_allowed(f"{what}: namespace {namespace} is not in this source's allow.namespaces")
    return None


def _not_allowed(words: str) -> Objection:
    return Objection(Reason.NOT_ALLOWED, words, "add it there, or take the object out of this folder", Mender.OPERATOR)


def foreign_owner(live: Manifest, source: str) -> Objection | None:
    """The other tool that applies this live object; None where there is none. Never two drivers (ADR 0022)."""
    tool = other_driver(live, source)
    if tool:
        words = f"{live['kind']} {name_of(live)} is applied by {tool} already"
        taken = f"or, once {tool} has given it up, mark it as ours: kubectl annotate … {SOURCE}={source} --overwrite"
        return Objection(Reason.OTHER_DRIVER, words, f"remove it there or from this source, {taken}", Mender.OPERATOR)
    owner = other_source(live, source)
    if owner:
        return Objection(Reason.OTHER_SOURCE, f"{live['kind']} {name_of(live)} belongs to source {owner} already", "keep it in one source")
    return None


def other_driver(live: Manifest, source: str = "") -> str | None:
    """Which other tool already applies this live object: by its tracking marks, or by the field managers that wrote it.

    Managers stay on record when a tool has given an object up: one that has not written since we did counts no more.
    """
    annotations, labels = annotations_of(live), labels_of(live)
    if "argocd.argoproj.io/tracking-id" in annotations or "argocd.argoproj.io/instance" in labels:
        return "Argo CD"
    if any(key.startswith(FLUX) for key in labels):
        return "Flux"
    managers = live["metadata"].get("managedFields") or ()
    theirs = [entry for entry in managers if entry.get("manager") in TOOLS_BY_MANAGER and entry.get("subresource") != "status"]
    if not theirs:
        return None
    last = max(theirs, key=_written_at)
    ours = max((_written_at(entry) for entry in managers if entry.get("manager") == OWN_MANAGER), default="")
    handed_over = bool(source) and annotations.get(SOURCE) == source and (not ours or _written_at(last) <= ours)
    return None if handed_over else TOOLS_BY_MANAGER[last["manager"]]


def _written_at(entry: Manifest) -> str:
    return str(entry.get("time") or "")


def other_source(live: Manifest, source: str) -> str | None:
    """Which other source of ours owns this live object."""
    owner = annotations_of(live).get(SOURCE)
    return owner if owner not in (None, source) else None
