"""The edit that is a release of a rendered workload: which value of which file says its image, found by rendering."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.sources.documents import Parsed
from reconciler.sources.images import container_images, image_or_none
from reconciler.sources.rewrites import moved_objects
from reconciler.yamledit.nodes import Document, Leaf, NotYaml, ScalarNode, compose_each, decode, leaves
from reconciler.yamledit.splice import EditRefused, ScalarEdit, splice
from reconciler_sandbox.node.behaviour import repository_of
from reconciler_sandbox.rehearsal.virtual.script import TAG

Named = tuple[str, str, str]
Render = Callable[[Mapping[str, bytes]], Parsed]
"""What the folder is rendered to with other bytes in some files."""
DIGEST = f"sha256:{'5' * 64}"
MOST_TRIES = 40


@dataclass(frozen=True, slots=True)
class Bump:
    """New bytes of some files, and the image that they ask for."""

    files: Mapping[str, bytes]
    image: str


def bump_of(parsed: Parsed, holder: Named, render: Render) -> Bump | None:
    """The edit that gives the holder of a template another first image and moves as little else as any; None where no file says it."""
    found: list[tuple[int, Bump]] = []
    image = first_image(parsed, holder)
    for _, files in zip(range(MOST_TRIES), _edits(parsed.inputs, image), strict=False):
        after = render(files)
        said = first_image(after, holder)
        if said not in ("", image) and not after.problems:
            found.append((len(moved_objects(parsed, after)), Bump(files, said)))
    return min(found, key=lambda one: one[0])[1] if found else None


def first_image(parsed: Parsed, holder: Named) -> str:
    """The image that a release of a template changes; empty where the template is gone."""
    located = parsed.find(*holder)
    images = [image for _, path, image in container_images(located.manifest) if "containers" in path] if located is not None else []
    return images[0] if images else ""


def _edits(inputs: Mapping[str, bytes], image: str) -> Iterator[Mapping[str, bytes]]:
    """One value at a time that is the image's tag or digest, then each file that holds the whole image."""
    known = image_or_none(image)
    parts = {known.tag: TAG, known.digest: DIGEST} if known is not None else {}
    for name, content in sorted(inputs.items()):
        yield from ({name: edited} for edited in _spliced(content, {old: new for old, new in parts.items() if old}))
    for name, content in sorted(inputs.items()):
        if image.encode() in content:
            yield {name: content.replace(image.encode(), f"{repository_of(image)}:{TAG}".encode())}


def _spliced(content: bytes, parts: Mapping[str, str]) -> Iterator[bytes]:
    for position, document in enumerate(_documents(content)):
        for leaf in _leaves(document):
            if isinstance(leaf.node, ScalarNode) and leaf.node.text in parts:
                edit = ScalarEdit(position, leaf.path, leaf.node.text, parts[leaf.node.text])
                try:
                    yield splice(content, edit)
                except (EditRefused, NotYaml):
                    continue


def _leaves(document: Document) -> list[Leaf]:
    """The values of a document; none of a template whose braces read as a mapping that is a key."""
    try:
        return list(leaves(document))
    except NotYaml:
        return []


def _documents(content: bytes) -> tuple[Document, ...]:
    try:
        return compose_each(decode(content))
    except NotYaml:
        return ()
