"""What was proven, where and with which evidence, as lines of Git notes: read without a cluster, made anew from Releases (ADR 0041). Pure.

A note is on the commit that asked for the version, a line of JSON for each workload; lines that are not ours stay as they are.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from reconciler.kernel.struct import Moment, Struct
from reconciler.releases.model import Evidence, Release

LONGEST_NOTE = 200_000
SKEW = 300.0
"""Seconds that the clocks of two machines may differ."""
METRICS, VALUES = 20, 10


class Measured(Struct, frozen=True, kw_only=True):
    """One metric of the evidence."""

    metric: str
    phase: str
    condition: str = ""
    values: tuple[str, ...] = ()
    """The last ones, as measured; what a Secret held is masked in them."""
    passed: int = 0
    failed: int = 0


class Proof(Struct, frozen=True, kw_only=True):
    """One version of one workload that was proven. It holds no hash of config: a Secret is guessed from one."""

    namespace: str
    workload: str
    source: str
    environment: str
    commit: str
    release: str
    at: Moment
    """When the verdict was reached, or a person accepted it."""
    verdict: str
    reason: str = ""
    images: dict[str, str] = msgspec.field(default_factory=dict)
    evidence: tuple[Measured, ...] = ()
    accepted_by: str = ""
    lost: str = ""
    """Why it is proven no more; empty where nothing speaks against it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What a newer line about the same release takes the place of."""
        return self.namespace, self.workload, self.release


def notes_ref(source: str, environment: str) -> str:
    """Where the notes of one source are: two daemons on one repository never write each other's."""
    return f"refs/notes/reconciler/{source}/{environment}"


def proof_of(release: Release) -> Proof | None:
    """The line of a release; None for one that never was proven, or that no commit asked for."""
    status, spec = release.status, release.spec
    at = status.accepted.at if status.accepted is not None else status.decided_at
    if not (release.proven or status.lost is not None) or not spec.commit.sha or at is None or status.verdict is None:
        return None
    return Proof(
        namespace=release.namespace,
        workload=spec.workload.name,
        source=spec.source,
        environment=spec.environment,
        commit=spec.commit.sha,
        release=release.name,
        at=at,
        verdict=str(status.verdict),
        reason=status.reason,
        images=spec.images,
        evidence=tuple(map(_measured, status.evidence[:METRICS])),
        accepted_by=status.accepted.by if status.accepted is not None else "",
        lost=(status.lost.reason or f"distrusted by {status.lost.by}") if status.lost is not None else "",
    )


def proofs_in(note: str) -> tuple[Proof, ...]:
    """The lines of a note that are ours."""
    return tuple(proof for line in note.splitlines() if (proof := _read(line)) is not None)


def proofs_about(commit: str, note: str, place: tuple[str, str]) -> tuple[Proof, ...]:
    """The lines of a note that speak of its own commit, and of this source and environment: copied notes and merged refs prove nothing."""
    return tuple(proof for proof in proofs_in(note) if proof.commit == commit and (proof.source, proof.environment) == place)


def with_proofs(note: str, proofs: Iterable[Proof]) -> str:
    """The note with these proofs in place of older lines about the same releases; lines that are not ours stay first."""
    known = {proof.key: proof for proof in (*proofs_in(note), *proofs)}
    others = [line for line in note.splitlines() if line.strip() and _read(line) is None]
    ours = [_line(known[key]) for key in sorted(known)]
    return "\n".join((*others, *ours)) + "\n"


def arrivals(history: Iterable[tuple[int, Iterable[str]]], now: datetime) -> Mapping[str, float]:
    """By when each line was there, in seconds since 1970, from the commits of notes with the lines that they added, the newest first.

    That is the earliest of now and what its commit and every later one say of themselves: a commit that came after a line cannot be older.
    """
    latest, found = now.timestamp(), dict[str, float]()
    for made, lines in history:
        latest = min(latest, made)
        for proof in (proof for line in lines if (proof := _read(line)) is not None):
            found.setdefault(_line(proof), latest)
    return found


def is_dated(proof: Proof, arrived: Mapping[str, float]) -> bool:
    """False for a line that says a later moment than it was there: its clock was wrong, or it is to be the newest for ever."""
    return proof.at.timestamp() <= arrived.get(_line(proof), float("-inf")) + SKEW


def last_proven(proofs: Iterable[Proof], workload: tuple[str, str], arrived: Mapping[str, float]) -> Proof | None:
    """The newest version of a workload, by namespace and name, that nothing speaks against; with a wrong date only if there is no other."""
    mine = [proof for proof in proofs if (proof.namespace, proof.workload) == workload and not proof.lost]
    return max(mine, key=lambda proof: (is_dated(proof, arrived), proof.at, proof.release), default=None)


def changed_notes(before: Mapping[str, str], proofs: Iterable[Proof]) -> dict[str, str]:
    """The notes to write, by commit; nothing for those that say so already, nor for one that would grow without end."""
    by_commit: dict[str, list[Proof]] = {}
    for proof in proofs:
        by_commit.setdefault(proof.commit, []).append(proof)
    wanted = {commit: with_proofs(before.get(commit, ""), found) for commit, found in by_commit.items()}
    return {commit: text for commit, text in wanted.items() if text != before.get(commit) and len(text) <= LONGEST_NOTE}


def _measured(evidence: Evidence) -> Measured:
    return Measured(
        metric=evidence.metric,
        phase=evidence.phase,
        condition=evidence.condition,
        values=evidence.values[-VALUES:],
        passed=evidence.passed,
        failed=evidence.failed,
    )


def _line(proof: Proof) -> str:
    return msgspec.json.encode(proof, order="sorted").decode()


def _read(line: str) -> Proof | None:
    try:
        return msgspec.json.decode(line, type=Proof)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
