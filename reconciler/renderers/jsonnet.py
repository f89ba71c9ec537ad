"""jsonnet: what each `.jsonnet` file of a folder gives, beside the plain manifests of the folder, with the files they import as the inputs.

As Argo CD reads a directory: a file gives one manifest, a List, or a list of manifests. `.libsonnet` files are only imported. The language
is deterministic, so a file is evaluated once. The evaluator is the language's own (extra `jsonnet`), in a process of its own that finds the
files of the commit and nothing else.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from reconciler.git.objects import Snapshot, SourceProblem, one_line
from reconciler.renderers import jsonnet_child
from reconciler.renderers.child import ChildCall, ChildFailed, output_of
from reconciler.renderers.jsonnet_child import ASKED, JsonnetAnswer, JsonnetCall
from reconciler.renderers.jsonnet_closure import EVALUATED, JsonnetFiles, below, closure
from reconciler.renderers.memory import RenderMemory, fingerprint
from reconciler.renderers.plain import rendered
from reconciler.sources.documents import Parsed, ParsedFile, objects_of, parsed_from
from reconciler.sources.encryption import refusals
from reconciler.sources.exclusion import excluded
from reconciler.sources.renderer import Renderer, RenderOptions

NAME = "jsonnet"
LIBRARY = "_jsonnet"
INSTALL = "install the extra: pip install 'reconciler[jsonnet]'"
LONGEST = 500
PLACE = re.compile(r"(?P<file>[^\s:()]+\.(?:jsonnet|libsonnet)):\(?(?P<line>\d+)")
NO_MANIFEST = "gives something that is no manifest and no list of manifests"


def installed() -> bool:
    """True where jsonnet can be evaluated."""
    return find_spec(LIBRARY) is not None


class JsonnetRenderer:
    """Evaluates the files of one folder. The same files are evaluated once, whatever else moves in the repository."""

    markers = ("*.jsonnet",)

    def __init__(self, options: RenderOptions) -> None:
        self._options = options
        self._memory = RenderMemory()

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        return self._closure(snapshot).missing

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        return frozenset({self._options.path, *(name.rpartition("/")[0] for name in self._closure(snapshot).entries)})

    def variants(self, snapshot: Snapshot) -> Mapping[str, Renderer]:
        """None: a folder is evaluated in one way."""
        return {}

    def at(self, folder: str) -> Renderer:
        """The same for another folder of the repository."""
        return JsonnetRenderer(replace(self._options, path=folder))

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        found = self._closure(snapshot)
        plain = self._plain(snapshot, found, previous)
        inputs = {name: snapshot.files[name] for name in sorted({*plain.files, *found.files})}
        key = fingerprint(inputs, (repr(self._options.jsonnet),))
        known = self._memory.recall(key, snapshot.commit)
        if known is not None:
            return known
        refused = refusals(snapshot.files, found.files)
        try:
            answers = () if refused else await self._answers(snapshot, found)
        except ChildFailed as failed:
            refused = (SourceProblem(self._options.path or ".", 0, f"jsonnet: {failed}", "correct what is evaluated here"),)
        if refused:
            return replace(plain, problems=(*plain.problems, *refused), inputs=inputs, renderer=NAME)
        files, problems = self._files(answers, previous)
        whole = parsed_from({**plain.files, **files}, (*_unread(plain), *problems), snapshot.commit)
        withheld = tuple(dict.fromkeys((*plain.withheld, *whole.withheld)))
        whole = replace(whole, withheld=withheld, inputs=inputs, renderer=NAME, namespace=self._options.namespace)
        return self._memory.keep(key, whole)

    def _closure(self, snapshot: Snapshot) -> JsonnetFiles:
        found = closure(snapshot, self._options.path, self._options.jsonnet.libraries)
        entries = tuple(name for name in found.entries if not excluded(name, self._options.path, self._options.exclude))
        return replace(found, entries=entries)

    def _plain(self, snapshot: Snapshot, found: JsonnetFiles, previous: Parsed | None) -> Parsed:
        """The manifests that stand in the folder as they are; what lies in libraries, and what is only imported from elsewhere, is not."""
        own = (name for name in snapshot.files if below(name, self._options.path) and not name.endswith(EVALUATED))
        files = {name: snapshot.files[name] for name in own if not found.library(name)}
        return rendered(replace(snapshot, files=files), previous, self._options)

    async def _answers(self, snapshot: Snapshot, found: JsonnetFiles) -> Sequence[JsonnetAnswer]:
        """What each file gives. Raises ChildFailed."""
        if not found.entries:
            return ()
        if not installed():
            raise ChildFailed(f"the evaluator is not there: {INSTALL}")
        settings = self._options.jsonnet
        asked: JsonnetCall = {
            "files": list(found.entries),
            "libraries": list(found.libraries),
            "extVars": dict(settings.variables),
            "extCode": dict(settings.variable_code),
            "tlaVars": dict(settings.arguments),
            "tlaCode": dict(settings.argument_code),
        }
        files = {f"{jsonnet_child.TREE}/{name}": snapshot.files[name] for name in found.files}
        call = ChildCall((sys.executable, "-I", jsonnet_child.__file__), {**files, ASKED: json.dumps(asked).encode()})
        answers: list[JsonnetAnswer] = json.loads(await output_of(call))
        return answers

    def _files(self, answers: Sequence[JsonnetAnswer], previous: Parsed | None) -> tuple[dict[str, ParsedFile], list[SourceProblem]]:
        """The objects, a file each, named after the file that gives them."""
        files: dict[str, ParsedFile] = {}
        problems: list[SourceProblem] = []
        for answer in answers:
            name = answer["file"]
            if "error" in answer:
                problems.append(_problem(name, answer["error"]))
                continue
            found = list(_manifests(answer.get("value")))
            if not all(isinstance(one, dict) and "kind" in one for one in found):
                problems.append(SourceProblem(name, 0, NO_MANIFEST, "return one, or a list of them; or name the file under `exclude`"))
                continue
            pieces = [json.dumps(one, indent=1, sort_keys=True, ensure_ascii=False).encode() for one in found]
            files.update(objects_of(pieces, name, _of_file(previous, name), self._options.namespace))
        return files, problems


def _manifests(value: Any) -> Iterator[Any]:
    """One manifest, or those of a list, of lists too; nothing where a file gives null."""
    if isinstance(value, list):
        for one in value:
            yield from _manifests(one)
    elif value is not None:
        yield value


def _unread(plain: Parsed) -> tuple[SourceProblem, ...]:
    """What was said of files that were not read; of the others it is said again."""
    return tuple(problem for problem in (*plain.problems, *plain.notes) if problem.file not in plain.files)


def _of_file(previous: Parsed | None, name: str) -> Parsed | None:
    """What an earlier evaluation had of one file: equal bytes of two files are two objects."""
    if previous is None:
        return None
    return replace(previous, files={known: parsed for known, parsed in previous.files.items() if known.startswith(f"{name}#")})


def _problem(name: str, complaint: str) -> SourceProblem:
    """What the evaluator complains about, at the first place it names, without its trace; the files of one folder fail alone."""
    place = PLACE.search(complaint)
    file, line = (place["file"], int(place["line"])) if place else (name, 0)
    text = one_line(complaint.strip().partition("\n")[0])
    return SourceProblem(file, line, f"jsonnet: {text if len(text) <= LONGEST else f'{text[:LONGEST]}…'}", f"correct it: {name} needs it")
