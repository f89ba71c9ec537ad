"""Image references: their grammar, when two are the same image, and which ones a workload runs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.sources.image import Image
from reconciler.sources.kinds import kind_key
from reconciler.yamledit.nodes import FieldPath

WORD = r"[a-z0-9]+"
COMPONENT = rf"{WORD}(?:(?:[._]|__|-+){WORD})*"
LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
REGISTRY = rf"(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
REFERENCE = re.compile(
    rf"(?P<name>(?:{REGISTRY}/)?{COMPONENT}(?:/{COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{DIGEST}))?", re.ASCII
)
REPOSITORY = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
IMAGE_ID = re.compile(r"[a-f0-9]{64}")
DIGEST_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}
LONGEST_REFERENCE = 1024
LONGEST_REPOSITORY = 255
DOCKER_HUB = "docker.io"
DOCKER_HUB_NAMES = ("index.docker.io", "registry-1.docker.io")

TEMPLATES: Mapping[str, FieldPath] = {
    "Deployment": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
    "PodTemplate": ("template",),
}


class NotAnImage(ValueError):
    """A text that names no image; the message says why."""


def parse_image(text: str) -> Image:
    """The image that a reference names. Raises NotAnImage for anything the distribution grammar refuses."""
    if len(text) > LONGEST_REFERENCE:
        raise NotAnImage(f"longer than {LONGEST_REFERENCE} characters")
    if IMAGE_ID.fullmatch(text):
        raise NotAnImage("64 hexadecimal digits are an image id, not a name")
    match = REFERENCE.fullmatch(text)
    if not match:
        raise NotAnImage(f"{text!r} is not an image reference")
    registry, repository = _familiar(match["name"])
    if not REPOSITORY.fullmatch(repository) or len(repository) > LONGEST_REPOSITORY:
        raise NotAnImage(f"{repository!r} is not a repository name")
    return Image(registry, repository, match["tag"] or "", _digest(match["digest"] or ""))


def image_or_none(text: str) -> Image | None:
    """The image that a text names, or None."""
    try:
        return parse_image(text)
    except NotAnImage:
        return None


def normalised(text: str) -> str:
    """The reference spelled out in full, for keys; a text that is no reference stands for itself."""
    image = image_or_none(text)
    if image is None:
        return text
    return f"{image.name}@{image.digest}" if image.digest else f"{image.name}:{image.effective_tag}"


def template_path(kind: str) -> FieldPath | None:
    """Where a kind keeps its pod template, or None when it runs no pods."""
    return TEMPLATES.get(kind)


def template_of(manifest: Manifest) -> Mapping[str, Any] | None:
    """The pod template of a workload: metadata and spec; None where there is none, as in a Rollout with `workloadRef`."""
    path = TEMPLATES.get(kind_key(manifest))
    if path is None:
        return None
    template: Any = manifest
    for part in path:
        template = template.get(part) if isinstance(template, dict) else None
    return template if isinstance(template, dict) else None


def container_images(manifest: Manifest) -> Iterator[tuple[str, FieldPath, str]]:
    """Container name, path from the manifest's root, and raw text of every image."""
    template = template_of(manifest)
    spec = template.get("spec") if template else None
    if not isinstance(spec, dict):
        return
    root = (*TEMPLATES[str(manifest["kind"])], "spec")
    for group in ("initContainers", "containers"):
        for position, container in enumerate(_list(spec.get(group))):
            if isinstance(container, dict) and isinstance(container.get("image"), str):
                yield str(container.get("name") or position), (*root, group, position, "image"), container["image"]


def _familiar(name: str) -> tuple[str, str]:
    head, slash, rest = name.partition("/")
    named = bool(slash) and (any(sign in head for sign in ".:[") or head == "localhost" or head.lower() != head)
    registry, repository = (head.lower(), rest) if named else (DOCKER_HUB, name)
    if registry in DOCKER_HUB_NAMES:
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository


def _digest(digest: str) -> str:
    algorithm, _, digits = digest.partition(":")
    length = DIGEST_LENGTH.get(algorithm)
    if length is not None and (len(digits) != length or digits != digits.lower()):
        raise NotAnImage(f"an {algorithm} digest has {length} lower-case hexadecimal digits")
    return digest


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
