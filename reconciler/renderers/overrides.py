"""Versions that an image updater keeps in the files of an Argo CD Application, beside the kustomization or the chart. Pure.

Argo CD lays `.argocd-source.yaml`, and over it `.argocd-source-NAME.yaml`, over the source of its Application; the image updater's
write-back by Git writes the second. Of what may stand there, kustomize's `images` and Helm's `parameters` are read: anything else is
refused, because what is rendered without it would not be what Argo CD applies.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.git.objects import SourceProblem
from reconciler.sources.renderer import RenderOptions
from reconciler.yamledit.nodes import NotYaml, compose, decode
from reconciler.yamledit.values import value_of

READ = {"kustomize": "images", "helm": "parameters"}
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
WORDS = {"true": True, "false": False}
REMEDY = "move it into the Application, or into the files that are rendered"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the files say over all else, and what of them cannot be read."""

    images: tuple[str, ...] = ()
    parameters: Mapping[str, str | bool | int] | None = None
    problems: tuple[SourceProblem, ...] = ()


def override_files(options: RenderOptions) -> tuple[str, ...]:
    """The names of the files from the repository's root, the weaker first; none for a source that names no Application."""
    if not options.application:
        return ()
    names = (".argocd-source.yaml", f".argocd-source-{options.application}.yaml")
    return tuple(posixpath.join(options.path, name) for name in names)


def overrides_of(files: Mapping[str, bytes], names: Collection[str]) -> Overrides:
    """What those of the files that are there say."""
    images: dict[str, str] = {}
    parameters: dict[str, str | bool | int] = {}
    problems: list[SourceProblem] = []
    for name in (name for name in names if name in files):
        try:
            value = _value(files[name])
        except NotYaml as error:
            problems.append(SourceProblem(name, error.line, error.message, error.remedy))
            continue
        problems += _unread(name, value)
        images |= {_image_name(text): text for text in _list(value, "kustomize") if isinstance(text, str)}
        parameters |= {key: found for one in _list(value, "helm") for key, found in _parameter(one)}
    return Overrides(tuple(images.values()), parameters, tuple(problems))


def with_images(kustomization: Mapping[str, Any], images: Collection[str]) -> dict[str, Any]:
    """A kustomization with images as `kustomize edit set image` would leave it."""
    known = [one for one in kustomization.get("images") or () if isinstance(one, dict)]
    for text in images:
        name, entry = _image_name(text), _entry(text)
        before = next((one for one in known if one.get("name") == name), {})
        kept = {key: value for key, value in before.items() if key not in ("newTag", "digest")}
        known = [*(one for one in known if one is not before), {**kept, **entry}]
    return {**kustomization, "images": known}


def _value(content: bytes) -> Any:
    documents = compose(decode(content))
    value = value_of(documents[0].root) if len(documents) == 1 and documents[0].root is not None else None
    if not isinstance(value, dict):
        raise NotYaml(1, "is no override of an Application: one YAML mapping is expected", "correct it")
    return value


def _unread(name: str, value: Mapping[str, Any]) -> Iterator[SourceProblem]:
    for tool, said in value.items():
        unknown = sorted(set(said) - {READ[tool]}) if tool in READ and isinstance(said, dict) else [""]
        for part in unknown:
            yield SourceProblem(name, 1, f"{'.'.join(filter(None, (str(tool), str(part))))} is not read here", REMEDY)


def _list(value: Mapping[str, Any], tool: str) -> list[Any]:
    said = value.get(tool)
    found = said.get(READ[tool]) if isinstance(said, dict) else None
    return found if isinstance(found, list) else []


def _image_name(text: str) -> str:
    """The image that an entry is about: `name=new:tag`, `name:tag`, `name@digest`."""
    head, equals, _ = text.partition("=")
    return head if equals else _parts(text)[0]


def _entry(text: str) -> dict[str, str]:
    head, equals, rest = text.partition("=")
    name, tag, digest = _parts(rest if equals else text)
    said = {"name": head if equals else name, "newName": name if equals else "", "newTag": tag, "digest": digest}
    return {key: value for key, value in said.items() if value}


def _parts(text: str) -> tuple[str, str, str]:
    """Name, tag and digest."""
    name, _, digest = text.partition("@")
    folder, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return f"{folder}{slash}{base}", tag, digest


def _parameter(one: Any) -> Iterator[tuple[str, str | bool | int]]:
    """One parameter as helm's `--set` would read it, or `--set-string` where the text is forced."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        return
    text = str(one.get("value", ""))
    forced = next((said for key, said in one.items() if str(key).lower() == "forcestring"), False)
    typed = text if forced else WORDS.get(text, int(text) if WHOLE.fullmatch(text) else text)
    yield one["name"], typed
