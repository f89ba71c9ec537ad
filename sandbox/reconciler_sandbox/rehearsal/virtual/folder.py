"""A person's folder of manifests as Git holds it: its workloads, what the daemon may write there, and the edit that is a release."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.objects import Snapshot
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.unusable import reason_of
from reconciler.renderers.plain import rendered
from reconciler.sources.documents import Located, Parsed
from reconciler.sources.permission import kind_word
from reconciler.sources.renderer import RenderOptions
from reconciler_sandbox.node.behaviour import repository_of
from reconciler_sandbox.rehearsal.virtual.script import TAG

SUFFIXES = (".yaml", ".yml", ".json")
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Workload:
    """One Rollout: where it lives, the file and the image that a release of it changes."""

    namespace: str
    name: str
    file: str
    image: str

    @property
    def new_image(self) -> str:
        """The image of the simulated version."""
        return f"{repository_of(self.image)}:{TAG}"


@dataclass(frozen=True, slots=True)
class ManifestFolder:
    """Files by name from the folder's root, and what they say."""

    files: Mapping[str, bytes]
    parsed: Parsed
    namespace: str

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace that something lives in."""
        named = [namespace_of(located.manifest) for located in self.parsed.manifests]
        return tuple(dict.fromkeys((self.namespace, *(name for name in named if name))))

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the source has to be allowed."""
        return tuple(dict.fromkeys(kind_word(located.manifest) for located in self.parsed.manifests))

    @property
    def images(self) -> tuple[str, ...]:
        """Every image that a template names."""
        return tuple(image for located in self.parsed.manifests for image in _images(located.manifest))

    def workloads(self) -> Iterator[Workload]:
        """The Rollouts, each with the first image of its template, which may stand in a Deployment beside it."""
        for located in self.parsed.manifests:
            if located.manifest.get("kind") != "Rollout":
                continue
            holder = self._template_of(located)
            images = _images(holder.manifest) if holder is not None else []
            if holder is not None and images:
                yield Workload(namespace_of(located.manifest) or self.namespace, name_of(located.manifest), holder.file, images[0])

    def _template_of(self, rollout: Located) -> Located | None:
        borrowed = (rollout.manifest.get("spec") or {}).get("workloadRef") or {}
        if not borrowed:
            return rollout
        there = (one for one in self.parsed.manifests if one.manifest.get("kind") == borrowed.get("kind"))
        namespace = namespace_of(rollout.manifest)
        return next((o for o in there if name_of(o.manifest) == borrowed.get("name") and namespace_of(o.manifest) == namespace), None)

    def released(self, workload: Workload) -> bytes:
        """The workload's file with its new image. Raises Terminal where the image does not stand there as it is used."""
        old, content = workload.image.encode(), self.files[workload.file]
        if old not in content:
            raise Terminal(f"{workload.file}: {workload.image} is not written there in one piece; a release of it cannot be simulated")
        return content.replace(old, workload.new_image.encode())


def load_folder(root: Path, namespace: str) -> ManifestFolder:
    """All manifests below a folder. Raises Terminal for what is no folder, or what a source would refuse."""
    if not root.is_dir():
        raise Terminal(f"{root}: is no folder; name the folder that a source follows")
    paths = sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink())
    files = {path.relative_to(root).as_posix(): _read(path) for path in paths}
    parsed = rendered(Snapshot("", "", files), None, RenderOptions(path="", namespace=namespace, exclude=()))
    if parsed.problems:
        raise Terminal("\n".join(str(problem) for problem in parsed.problems))
    return ManifestFolder(files, parsed, namespace)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise Terminal(f"{path}: larger than 1 MiB: not read")
        return path.read_bytes()
    except OSError as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; name a folder that can") from error


def _images(manifest: Manifest) -> list[str]:
    template = ((manifest.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [str(c["image"]) for c in template.get("containers") or () if isinstance(c, dict) and c.get("image")]
