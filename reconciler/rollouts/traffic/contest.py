"""Another writer that puts its own routes back: counted, named, and not fought for ever."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of

PATIENCE = 2
"""So many times the same content is written again at once; a person's single edit is put right without a word."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=10)
FORGOTTEN = timedelta(hours=1)
RULE = "Argo CD: ignoreDifferences, group {group}, kind {kind}, jqPathExpressions {paths}, with syncOption RespectIgnoreDifferences=true"


@dataclass(frozen=True, slots=True)
class Contest:
    """How often in a row the same content of one object was written, and when last."""

    content: str
    writes: int
    last: datetime

    def again_at(self) -> datetime:
        """When it may be written once more."""
        if self.writes <= PATIENCE:
            return self.last
        times: int = 2 ** min(self.writes - PATIENCE - 1, 10)
        return self.last + min(FIRST_WAIT * times, LONGEST_WAIT)


def content_of(manifest: Manifest) -> str:
    """What tells one content from another: the spec, and the annotations, where an ALB and nginx have their weights.

    Two weights that counted as one would be taken for a fight: the second step of a release would wait, and its way home too.
    """
    told = [manifest.get("spec"), annotations_of(manifest)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def counted(before: Contest | None, manifest: Manifest, now: datetime) -> Contest:
    """The count after this content was written."""
    content = content_of(manifest)
    if before is None or before.content != content or now - before.last > FORGOTTEN:
        return Contest(content, 1, now)
    return Contest(content, before.writes + 1, now)


def is_contested(contest: Contest | None, wanted: Manifest, now: datetime) -> bool:
    """True when the same content was written so often that it is another writer who takes it away."""
    if contest is None or contest.writes < PATIENCE or now - contest.last > FORGOTTEN:
        return False
    return contest.content == content_of(wanted)


def words(ref: ObjectRef, live: Manifest | None, contest: Contest, paths: tuple[str, ...]) -> str:
    """Who takes it away, how often, and what that writer must be told; None: it was removed."""
    rule = RULE.format(group=ref.resource.group, kind=ref.resource.kind, paths=", ".join(paths) or ".spec")
    again = f"written {contest.writes} times, tried again less and less often"
    if live is None:
        return f"{ref}: another writer removes what this Rollout makes ({again}). It must leave that alone."
    return f"{ref}: {other_writer(live)} puts its own routes back ({again}). It must ignore what this Rollout moves. {rule}"


def other_writer(live: Manifest) -> str:
    """The field manager that wrote last; in general words where the server keeps no record."""
    entries = [entry for entry in live["metadata"].get("managedFields") or [] if isinstance(entry, dict) and entry.get("time")]
    last = max(entries, key=lambda entry: str(entry["time"]), default={})
    return str(last.get("manager") or "another writer")
