"""What each object of a story went through, in order: phases, steps, weights, verdicts, commits; and how two plays differ.

The rule by which two plays are equal: the same values in the same order. A value that lasted less than `BRIEF` seconds in the one play may
be missing in the other, because passes that follow each other at once may be one pass elsewhere; nothing else may.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler_sandbox.apiserver.store import Collection, Entry

Manifest = dict[str, Any]
BRIEF = 1.0
MERGE = "Merge "


@dataclass(frozen=True, slots=True)
class Held:
    """A value, and for how many seconds it held; the last one of a play held to its end."""

    value: str
    seconds: float = float("inf")


@dataclass(slots=True)
class Sequences:
    """Is told of every change of a store; `clock` says seconds."""

    clock: Callable[[], float]
    _seen: dict[str, list[tuple[float, str]]] = field(default_factory=dict)

    def hear(self, collection: Collection, kind: str, entry: Entry) -> None:
        """A change of the store; an object that goes ends its sequence."""
        if collection.plural in TRAITS and kind != "DELETED":
            for name, value in TRAITS[collection.plural](entry.manifest):
                self._note(name, value)

    def held(self) -> Mapping[str, Sequence[Held]]:
        """Each sequence so far, by object and field."""
        found = {}
        for name, seen in self._seen.items():
            ends = [at for at, _ in seen[1:]]
            found[name] = [Held(value, end - at) for (at, value), end in zip(seen, [*ends, float("inf")], strict=True)]
        return found

    def _note(self, name: str, value: str) -> None:
        seen = self._seen.setdefault(name, [])
        if not seen or seen[-1][1] != value:
            seen.append((self.clock(), value))


def _of_rollout(manifest: Manifest) -> Iterator[tuple[str, str]]:
    status, name = manifest.get("status") or {}, _name(manifest)
    if status.get("phase"):
        yield f"{name} phase", str(status["phase"])
    if status.get("currentStepIndex") is not None:
        yield f"{name} step", str(status["currentStepIndex"])


def _of_virtual_service(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for route in (manifest.get("spec") or {}).get("http") or ():
        targets = route.get("route") or ()
        if len(targets) > 1:
            weights = ((str(target["destination"].get("host", "")), target.get("weight", 0)) for target in targets)
            yield f"{_name(manifest)} weights of {route.get('name', '')}", " ".join(f"{host}={weight}" for host, weight in weights)


def _of_release(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Its own name holds a commit, and commits hold times: it is known by what it releases."""
    spec, status = manifest["spec"], manifest.get("status") or {}
    images = ",".join(str(image).rpartition("/")[2] for image in (spec.get("images") or {}).values())
    namespace = manifest["metadata"].get("namespace", "")
    name = f"Release {namespace}/{spec['workload']['name']} of {images}, attempt {spec.get('attempt', 1)}"
    if status.get("phase"):
        yield f"{name} phase", str(status["phase"])
    if status.get("verdict"):
        yield f"{name} verdict", str(status["verdict"])


TRAITS: Mapping[str, Callable[[Manifest], Iterator[tuple[str, str]]]] = {
    "rollouts": _of_rollout,
    "virtualservices": _of_virtual_service,
    "releases": _of_release,
}


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}"


def commits(subjects: Iterable[str], workloads: Iterable[str]) -> Mapping[str, Sequence[Held]]:
    """The commits about each workload, oldest first: stories side by side push in any order; merges are the forge's."""
    made = [subject for subject in subjects if not subject.startswith(MERGE)]
    return {f"commits about {name}": [Held(subject) for subject in made if name in subject.split()] for name in workloads}


def differences(one: Mapping[str, Sequence[Held]], other: Mapping[str, Sequence[Held]], names: tuple[str, str]) -> Iterator[str]:
    """What the two plays do not have in common, a line for each sequence."""
    for name in sorted({*one, *other}):
        left, right = one.get(name, ()), other.get(name, ())
        if not same(left, right):
            yield f"{name}: {names[0]} {shown(left)}, {names[1]} {shown(right)}"


def same(left: Sequence[Held], right: Sequence[Held]) -> bool:
    """True if they are equal once values that were brief may be left out of either.

    What is left between two equal values belongs together: a value that was there, gone for a moment and there again was one value.
    """
    reachable: set[tuple[int, str]] = {(0, "")}
    for held in [*left, None]:
        reachable = _along(reachable, right)
        if held is None:
            return any(place == len(right) for place, _ in reachable)
        reachable = set(_taken(reachable, held, right))
    return False


def _along(reachable: set[tuple[int, str]], right: Sequence[Held]) -> set[tuple[int, str]]:
    """From each place on, the values of the other play that may be left out: brief ones, and what is still the same."""
    found, waiting = set(reachable), list(reachable)
    while waiting:
        place, last = waiting.pop()
        free = place < len(right) and (right[place].seconds < BRIEF or right[place].value == last)
        if free and (place + 1, last) not in found:
            found.add((place + 1, last))
            waiting.append((place + 1, last))
    return found


def _taken(reachable: set[tuple[int, str]], held: Held, right: Sequence[Held]) -> Iterator[tuple[int, str]]:
    for place, last in reachable:
        if held.seconds < BRIEF or held.value == last:
            yield place, last
        if place < len(right) and right[place].value == held.value:
            yield place + 1, held.value


def shown(sequence: Sequence[Held]) -> str:
    """`Progressing Paused Healthy`; a value that was brief in brackets."""
    return " ".join(f"({held.value})" if held.seconds < BRIEF else held.value for held in sequence) or "nothing"
