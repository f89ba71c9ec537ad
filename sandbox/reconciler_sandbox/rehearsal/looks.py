"""Looks at the stage: what is so at this moment about the subject of an expectation, and whether that is what was asked for."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, assert_never

from reconciler.kernel.resources import PODS
from reconciler_sandbox.githost.command import GitFailed
from reconciler_sandbox.githost.records import Pull, Status
from reconciler_sandbox.load import Sample
from reconciler_sandbox.rehearsal.compare import NOTHING, shown, shown_all
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.jsonpath import find_all, plain_text
from reconciler_sandbox.rehearsal.shares import as_asked, counted, tally
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import (
    CommitNote,
    Commits,
    GitFile,
    ObjectField,
    ObjectName,
    PullNote,
    Replicas,
    Share,
    Subject,
    Tagged,
    Users,
)

PATTERN = re.compile(r"[*?\[]")
HIDDEN = re.compile(r"<!--.*?-->\s*", re.DOTALL)
NAME = re.compile(r"[A-Za-z][\w./-]{2,}")
LATEST = 60
MOVED = "the weights moved on before all requests were made"
SLICE = 100
"""Requests that are made at once."""
LATE = 2
"""So many of the last slices may have been answered after the weights had moved, which is noticed a little later."""
FEWEST = 300
"""Fewer requests than these say too little."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen, in words, and whether it was as asked."""

    held: bool
    observed: str


async def look(stage: Stage, subject: Subject) -> Sight:
    """One look, at this moment."""
    match subject:
        case ObjectField():
            found = [value for manifest in await _objects(stage, subject) for value in find_all(manifest, subject.path)]
            return Sight(subject.comparison.holds(found), shown_all(found))
        case Replicas():
            count = await _ready_pods(stage, subject.image)
            return Sight(subject.comparison.holds([count]), str(count))
        case Share():
            return await _share(stage, subject)
        case Tagged():
            return await _tagged(stage, subject)
        case Users():
            users = stage.users
            count = users.failed(subject.traffic) if subject.failed else users.answered(subject.traffic, subject.version)
            return Sight(subject.comparison.holds([count]), f"{count} of {len(users.untagged(subject.traffic)):,}")
        case GitFile() | Commits():
            return await _git(stage, subject)
        case PullNote():
            return await _pull(stage, subject)
        case CommitNote():
            return await _commit(stage, subject)
        case _:
            assert_never(subject)


def looks_once(subject: Subject) -> bool:
    """Whether a second look would be another experiment: a burst is judged once."""
    return isinstance(subject, Share)


# -- the cluster ------------------------------------------------------------------------------------------------------


async def _objects(stage: Stage, subject: ObjectField) -> list[dict[str, Any]]:
    found = await objects_named(stage, subject.target)
    return [m for m in found if all(text in [plain_text(v) for v in find_all(m, path)] for path, text in subject.where.items())]


async def objects_named(stage: Stage, target: ObjectName) -> list[dict[str, Any]]:
    """The objects that a name or a pattern of names means, oldest first."""
    if not PATTERN.search(target.name):
        single = await stage.api.get(object_path(target))
        return [] if single is None else [single]
    listed = await stage.api.list(object_path(target).rpartition("/")[0])
    chosen = [m for m in listed if fnmatchcase(m["metadata"]["name"], target.name)]
    return sorted(chosen, key=lambda m: str(m["metadata"].get("creationTimestamp", "")))


def object_path(target: ObjectName) -> str:
    """The URL path of one object."""
    inside = f"/namespaces/{target.namespace}" if target.namespace else ""
    return f"{target.resource.path}{inside}/{target.resource.plural}/{target.name}"


async def _ready_pods(stage: Stage, image: str) -> int:
    return sum(_runs(pod, image) and _is_ready(pod) for pod in await stage.api.list(f"{PODS.path}/{PODS.plural}"))


def _runs(pod: dict[str, Any], image: str) -> bool:
    return any(container["image"] == image for container in pod["spec"]["containers"])


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return not pod["metadata"].get("deletionTimestamp") and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


# -- users ------------------------------------------------------------------------------------------------------------


async def _share(stage: Stage, subject: Share) -> Sight:
    """What share each version has of real requests; on a slow machine of those alone that were made before the weights moved on."""
    await stage.mesh.settled()
    before = _moves(stage, subject.traffic)
    made: list[list[Sample]] = []
    for size in sizes(subject.requests, SLICE):
        made.append(await stage.users.burst(subject.traffic, size))
        if _moves(stage, subject.traffic) > before:
            break
    else:
        counts = tally(_answer(sample) for samples in made for sample in samples)
        return Sight(as_asked(counts, subject.parts), counted(counts))
    told: dict[str, int] = {}
    for early in (made, made[:-LATE]):
        counts = tally(_answer(sample) for samples in early for sample in samples)
        told = counts or told
        if sum(counts.values()) >= min(subject.requests, FEWEST) and as_asked(counts, subject.parts):
            return Sight(True, f"{counted(counts)}; {MOVED}")
    return Sight(False, f"{counted(told)}; {MOVED}")


def _moves(stage: Stage, traffic: str) -> int:
    """How often the weights of a route have moved that is called as the traffic is; other workloads have theirs."""
    return sum(weights.route.partition("/")[2].startswith(traffic) for weights in stage.recorder.weights)


def sizes(total: int, most: int) -> Iterator[int]:
    """As many requests in parts of at most this size."""
    while total > 0:
        yield min(most, total)
        total -= most


async def _tagged(stage: Stage, subject: Tagged) -> Sight:
    await stage.mesh.settled()
    tagged = tally(_answer(s) for s in await stage.users.burst(subject.traffic, subject.requests, subject.headers))
    if set(tagged) != {subject.version}:
        return Sight(False, f"with {counted(tagged)}")
    untagged = tally(_answer(s) for s in await stage.users.burst(subject.traffic, subject.requests))
    return Sight(set(untagged) == {subject.without}, f"with {counted(tagged)}; without {counted(untagged)}")


def _answer(sample: Sample) -> str:
    return "" if sample.failed else sample.version


# -- Git and its host -------------------------------------------------------------------------------------------------


async def _git(stage: Stage, subject: GitFile | Commits) -> Sight:
    if isinstance(subject, Commits):
        log = await stage.host.log(REPOSITORY, subject.branch)
        matching = [commit for commit in log if re.search(subject.matching, commit.message, re.MULTILINE)]
        subjects = "; ".join(f"{commit.sha[:7]} {_subject(commit.message)}" for commit in matching)
        return Sight(len(matching) == subject.count, f"{len(matching)}" + (f": {subjects}" if subjects else ""))
    try:
        text = (await stage.host.read(REPOSITORY, subject.file, f"refs/heads/{subject.branch}")).decode(errors="replace")
    except GitFailed:
        return Sight(subject.comparison.absent, NOTHING)
    return Sight(subject.comparison.holds([text]), excerpt(text, subject.comparison.rules.values()))


def excerpt(text: str, wanted: Iterable[Any]) -> str:
    """The lines of a file that say most about what was wanted: those that name the same thing, else how long the file is."""
    names = [match[0] for want in wanted if (match := NAME.search(str(want)))]
    near = [line.strip() for line in text.splitlines() if any(name in line for name in names)]
    return shown("; ".join(near[:4])) if near else f"a file of {len(text.splitlines())} lines"


async def _pull(stage: Stage, subject: PullNote) -> Sight:
    pull = next((p for p in reversed(stage.host.pulls(REPOSITORY)) if p.title == subject.title), None)
    if pull is None:
        return Sight(False, "no such pull request")
    comments = stage.host.comments(REPOSITORY, pull.number)
    last = comments[-1].body if comments else ""
    statuses = newest_statuses(stage, pull)
    held = (
        (subject.comments is None or len(comments) == subject.comments)
        and (subject.text is None or subject.text.holds([last] if last else []))
        and (not subject.status or subject.status in [status.state for status in statuses])
    )
    told = ", ".join(f"{status.state} ({status.description})" for status in statuses) or "no status"
    said = shown(HIDDEN.sub("", last).partition("\n|")[0]) if last else "nothing said"
    return Sight(held, f"{len(comments)} {'comment' if len(comments) == 1 else 'comments'}; {told}; {said}")


def newest_statuses(stage: Stage, pull: Pull) -> list[Status]:
    """The newest status of each context on the pull request's commits and its merge commit."""
    found = [status for sha in dict.fromkeys((*pull.commits, pull.head_sha, pull.merge_commit)) for status in _statuses(stage, sha)]
    return sorted({status.context: status for status in sorted(found, key=lambda s: s.id)}.values(), key=lambda s: s.id)


def _statuses(stage: Stage, sha: str) -> list[Status]:
    newest = {status.context: status for status in stage.host.statuses(REPOSITORY, sha)}
    return sorted(newest.values(), key=lambda status: status.id)


async def _commit(stage: Stage, subject: CommitNote) -> Sight:
    log = await stage.host.log(REPOSITORY)
    commit = next((c for c in log[:LATEST] if _subject(c.message) == subject.subject), None)
    if commit is None:
        return Sight(False, "no such commit")
    statuses = _statuses(stage, commit.sha)
    held = [s for s in statuses if subject.status in ("", s.state) and (subject.text is None or subject.text.holds([s.description]))]
    told = ", ".join(f"{status.state} ({status.description})" for status in statuses) or "no status"
    return Sight(bool(held), f"{commit.sha[:7]}: {told}")


def _subject(message: str) -> str:
    return message.splitlines()[0] if message else ""
