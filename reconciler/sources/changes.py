"""What a push asks for: per workload, the values of its pod template and of its config that moved, and where they stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.sources.documents import Located, Parsed, location, node_of
from reconciler.sources.images import container_images, template_path
from reconciler.sources.model import HIDDEN, ChangedField, FieldLocation, WorkloadId
from reconciler.sources.references import Named
from reconciler.sources.templates import (
    CONFIG_PARTS,
    Workload,
    behind,
    content_hash,
    identity,
    referenced_config,
    workloads,
    workloads_among,
)
from reconciler.yamledit.differences import Difference, canonical, differences
from reconciler.yamledit.nodes import Document, FieldPath, MappingNode, Node, ScalarNode, leaves, node_at


@dataclass(frozen=True, slots=True)
class ImageChange:
    """The image of one container that moved; None on the side where the container is absent."""

    container: str
    old: str | None
    new: str | None
    field: ChangedField


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One referenced ConfigMap or Secret whose content moved; a hash is empty where the template does not refer to it."""

    kind: str
    name: str
    old_hash: str
    new_hash: str
    fields: tuple[ChangedField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadChange:
    """Everything that moved for one workload. `template` names the object that the pod template lives in."""

    workload: WorkloadId
    template: WorkloadId
    fields: tuple[ChangedField, ...] = ()
    images: tuple[ImageChange, ...] = ()
    config: tuple[ConfigChange, ...] = ()
    other: tuple[ChangedField, ...] = ()
    added: bool = False
    removed: bool = False
    moved: bool = False


def changes(old: Parsed, new: Parsed) -> tuple[WorkloadChange, ...]:
    """The workloads that differ between two snapshots of one source, in order of name. Files that are the same object cost nothing."""
    before, after = _before_and_after(old, new)
    names = sorted({*before, *after}, key=lambda id: (id.namespace, id.name, id.kind))
    compared = (_compare(old, new, before.get(id), after.get(id)) for id in names)
    return tuple(change for change in compared if change is not None)


def change_of(old: Parsed, new: Parsed, workload: WorkloadId) -> WorkloadChange | None:
    """What differs of one workload between two snapshots of one source; None when nothing does."""
    before, after = workloads(old).get(workload), workloads(new).get(workload)
    return _compare(old, new, before, after) if before or after else None


def workload_id(located: Located) -> WorkloadId:
    kind, namespace, name = located.key
    return WorkloadId(kind, namespace, name)


def template_differences(old: tuple[Parsed, Located | None], new: tuple[Parsed, Located | None], path: FieldPath) -> Iterator[Difference]:
    """The parts of one sub-tree that differ between two manifests; paths start at the manifest's root."""
    before, after = _part(*old, path), _part(*new, path)
    yield from differences(before, after, path, path)


def changed_fields(old: Located | None, new: Located | None, parts: Iterator[Difference]) -> tuple[ChangedField, ...]:
    """The single values behind differences; the values of Secrets are hidden."""
    secret = any(located is not None and located.key[0] == "Secret" for located in (old, new))
    return tuple(_hide(field) if secret else field for part in parts for field in _fields(old, new, part))


def _before_and_after(old: Parsed, new: Parsed) -> tuple[Mapping[WorkloadId, Workload], Mapping[WorkloadId, Workload]]:
    """The workloads that may differ. Where one name stands for two objects the order of files counts, so all of them may."""
    if old.doubled or new.doubled:
        return workloads(old), workloads(new)
    keys = _concerned(old, new)
    before, after = ([located for key in keys if (located := parsed.find(*key))] for parsed in (old, new))
    return workloads_among(old, before), workloads_among(new, after)


def _concerned(old: Parsed, new: Parsed) -> set[Named]:
    """The objects of changed files, what they borrow from, and all that depends on any of these by config or by template."""
    names = [name for name in {*old.files, *new.files} if old.files.get(name) is not new.files.get(name)]
    touched = [located for parsed in (old, new) for name in names if name in parsed.files for located in parsed.files[name].manifests]
    keys = {located.key for located in touched} | {located.lender for located in touched if located.lender}
    more = keys
    while more:
        more = {located.key for located in new.manifests if located.lender in more or not more.isdisjoint(located.config)} - keys
        keys |= more
    return keys


def _compare(old: Parsed, new: Parsed, before: Workload | None, after: Workload | None) -> WorkloadChange | None:
    present = after or before
    assert present is not None, "a workload is in one of the two snapshots"
    if before and after and [id(one) for one in behind(old, before)] == [id(one) for one in behind(new, after)]:
        return None  # unchanged files are parsed once, so this is the cheap first look
    fields = _template_fields(old, new, before, after)
    config = tuple(_config_changes(old, new, before, after))
    other = _other_fields(old, new, before, after)
    moved = (before and identity(old, before)) != (after and identity(new, after))
    if not (other or moved):
        return None  # what changes in the template or its config moves the workload
    return WorkloadChange(
        workload=present.id,
        template=workload_id(present.template),
        fields=fields,
        images=tuple(_image_changes(before, after, fields)),
        config=config,
        other=other,
        added=before is None,
        removed=after is None,
        moved=moved,
    )


def _template_fields(old: Parsed, new: Parsed, before: Workload | None, after: Workload | None) -> tuple[ChangedField, ...]:
    was = before.template if before else None
    now = after.template if after else None
    if was and now and canonical(was.manifest) == canonical(now.manifest):
        return ()
    present = now or was
    assert present is not None, "a workload has a template"
    path = template_path(present.key[0]) or ()
    return changed_fields(was, now, template_differences((old, was), (new, now), path))


def _config_changes(old: Parsed, new: Parsed, before: Workload | None, after: Workload | None) -> Iterator[ConfigChange]:
    was = {located.key: located for located in referenced_config(old, before)} if before else {}
    now = {located.key: located for located in referenced_config(new, after)} if after else {}
    for key in sorted({*was, *now}):
        one, other = was.get(key), now.get(key)
        hashes = (content_hash(one) if one else "", content_hash(other) if other else "")
        if hashes[0] != hashes[1]:
            yield ConfigChange(key[0], key[2], *hashes, tuple(_config_fields(old, new, one, other)))


def _config_fields(old: Parsed, new: Parsed, one: Located | None, other: Located | None) -> Iterator[ChangedField]:
    for part in CONFIG_PARTS:
        yield from changed_fields(one, other, template_differences((old, one), (new, other), (part,)))


def _other_fields(old: Parsed, new: Parsed, before: Workload | None, after: Workload | None) -> tuple[ChangedField, ...]:
    if before is None or after is None:
        return ()
    pairs = [(before.owner, after.owner)]
    if before.template is not before.owner and after.template is not after.owner:
        pairs.append((before.template, after.template))
    return tuple(field for was, now in pairs for field in _outside_template(old, new, was, now))


def _outside_template(old: Parsed, new: Parsed, was: Located, now: Located) -> Iterator[ChangedField]:
    if was.manifest is now.manifest or canonical(was.manifest) == canonical(now.manifest):
        return
    template = template_path(now.key[0]) or ()
    for field in changed_fields(was, now, template_differences((old, was), (new, now), ())):
        place, root = (field.location.path, now.root if field.after else was.root)
        if place[len(root) : len(root) + len(template)] != template:
            yield field


def _image_changes(before: Workload | None, after: Workload | None, fields: tuple[ChangedField, ...]) -> Iterator[ImageChange]:
    was, now = _containers(before), _containers(after)
    for field in fields:
        container = now.get(field.after.path) if field.after else was.get(field.before.path) if field.before else None
        if container is not None:
            yield ImageChange(container, field.old, field.new, field)


def _containers(workload: Workload | None) -> dict[FieldPath, str]:
    if workload is None:
        return {}
    root = workload.template.root
    return {(*root, *path): name for name, path, _text in container_images(workload.template.manifest)}


def _part(parsed: Parsed, located: Located | None, path: FieldPath) -> Node | None:
    if located is None:
        return None
    node = node_of(parsed, located)
    return node_at(node, path)


def _fields(old: Located | None, new: Located | None, part: Difference) -> Iterator[ChangedField]:
    if old and new and isinstance(part.old, ScalarNode) and isinstance(part.new, ScalarNode):
        yield ChangedField(part.old.text, part.new.text, location(old, part.old_path, part.old), location(new, part.new_path, part.new))
        return
    if old and part.old is not None:
        yield from (ChangedField(text, None, place, None) for place, text in _texts(old, part.old_path, part.old))
    if new and part.new is not None:
        yield from (ChangedField(None, text, None, place) for place, text in _texts(new, part.new_path, part.new))


def _texts(located: Located, path: FieldPath, node: Node) -> Iterator[tuple[FieldLocation, str]]:
    for leaf in leaves(Document(0, node, frozenset())):
        yield location(located, (*path, *leaf.path), leaf.node), _text(leaf.node)


def _text(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return node.text
    return "{}" if isinstance(node, MappingNode) else "[]"


def _hide(field: ChangedField) -> ChangedField:
    old = None if field.old is None else HIDDEN
    return ChangedField(old, None if field.new is None else HIDDEN, field.before, field.after)
