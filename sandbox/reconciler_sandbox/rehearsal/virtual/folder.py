"""A person's folder of manifests as Git holds it: its workloads, what the daemon may write there, and the edit that is a release."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from reconciler.app.cli.offline.files import apart
from reconciler.app.cli.offline.folders import LocalFolder, local_folder, rendered_folder, rendered_with
from reconciler.git.objects import Snapshot
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.unusable import reason_of
from reconciler.renderers.helm_lock import CHART
from reconciler.renderers.plain import rendered
from reconciler.sources.documents import Located, Parsed
from reconciler.sources.permission import kind_word
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.settings import SourceSettings
from reconciler_sandbox.node.behaviour import repository_of
from reconciler_sandbox.rehearsal.virtual.bumps import bump_of
from reconciler_sandbox.rehearsal.virtual.script import TAG

SUFFIXES = (".yaml", ".yml", ".json")
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Workload:
    """One Rollout: where it lives, its image, the image of the simulated version, and the files that a release of it changes."""

    namespace: str
    name: str
    image: str
    new_image: str
    released: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ManifestFolder:
    """Files by name from the repository's root, and what they say; a plain folder is a repository of its own."""

    files: Mapping[str, bytes]
    parsed: Parsed
    namespace: str
    renderer: str = ""
    options: RenderOptions = field(default_factory=RenderOptions)

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
        """The Rollouts, each with the first image of its template, which may stand in a Deployment beside it. Raises Terminal."""
        for located in self.parsed.manifests:
            if located.manifest.get("kind") != "Rollout":
                continue
            holder = self._template_of(located)
            images = _images(holder.manifest) if holder is not None else []
            if holder is not None and images:
                new, files = self._release(holder, images[0])
                yield Workload(namespace_of(located.manifest) or self.namespace, name_of(located.manifest), images[0], new, files)

    def _template_of(self, rollout: Located) -> Located | None:
        borrowed = (rollout.manifest.get("spec") or {}).get("workloadRef") or {}
        if not borrowed:
            return rollout
        there = (one for one in self.parsed.manifests if one.manifest.get("kind") == borrowed.get("kind"))
        namespace = namespace_of(rollout.manifest)
        return next((o for o in there if name_of(o.manifest) == borrowed.get("name") and namespace_of(o.manifest) == namespace), None)

    def _release(self, holder: Located, image: str) -> tuple[str, Mapping[str, bytes]]:
        """The new image, and the files that ask for it. Raises Terminal where no value of a file says it."""
        if self.parsed.inputs:
            place = LocalFolder(Path(), self.renderer, self.options)
            bump = bump_of(self.parsed, holder.key, lambda files: rendered_with(place, {**self.files, **files}))
            if bump is None:
                raise Terminal(f"{holder.file}: no value of a file behind it says {image}; a release of it cannot be simulated")
            return bump.image, bump.files
        old, new, content = image.encode(), f"{repository_of(image)}:{TAG}", self.files[holder.file]
        if old not in content:
            raise Terminal(f"{holder.file}: {image} is not written there in one piece; a release of it cannot be simulated")
        return new, {holder.file: content.replace(old, new.encode())}


def load_folder(root: Path, namespace: str, sources: Sequence[SourceSettings] = ()) -> ManifestFolder:
    """All manifests of a folder, rendered as a source would. Raises Terminal for what is no folder, or what a source would refuse."""
    if not root.is_dir():
        raise Terminal(f"{root}: is no folder; name the folder that a source follows")
    _, made = apart([root], sources)
    found = _rendered(local_folder(root, RenderOptions(namespace=namespace), sources)) if made else _plain(root, namespace)
    if found.parsed.problems:
        raise Terminal("\n".join(str(problem) for problem in found.parsed.problems))
    return found


def _plain(root: Path, namespace: str) -> ManifestFolder:
    paths = sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink())
    files = {path.relative_to(root).as_posix(): _read(path) for path in paths}
    options = RenderOptions(namespace=namespace)
    return ManifestFolder(files, rendered(Snapshot("", "", files), None, options), namespace, "", options)


def _rendered(place: LocalFolder) -> ManifestFolder:
    """A release name that nobody chose is the chart's, whatever the simulated source is called."""
    made = rendered_folder(place)
    files = made.parsed.inputs or made.files.files
    helm = place.options.helm
    release = helm.release or place.options.source or _chart(files, place.options.path)
    options = replace(place.options, helm=replace(helm, release=release))
    return ManifestFolder(files, made.parsed, options.namespace, place.renderer, options)


def _chart(files: Mapping[str, bytes], folder: str) -> str:
    content = files.get(f"{folder}/{CHART}" if folder else CHART)
    found = yaml.safe_load(content) if content else None
    return str(found.get("name", "")) if isinstance(found, dict) else ""


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
