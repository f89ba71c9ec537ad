"""What a release is called: the same template and config asked for by Git have the same identity (docs/configuration.md, terms). Pure."""

import hashlib
import re

from reconciler.sources.documents import Parsed
from reconciler.sources.model import WorkloadId
from reconciler.sources.templates import Workload, identity

UNSAFE = re.compile(r"[^a-z0-9]+")


def identity_hash(parsed: Parsed, workload: Workload) -> str:
    """A hash over the whole pod template as Git has it and over the config it references."""
    known: dict[WorkloadId, str] = parsed.derived.setdefault("identities", {})
    if workload.id not in known:
        known[workload.id] = hashlib.sha256(identity(parsed, workload).encode()).hexdigest()
    return known[workload.id]


def release_name(workload: str, place: tuple[str, str, str], sha: str, attempt: int = 1) -> str:
    """A name that is unique in the world, and deterministic, so that a pass cut in half finds its own object again.

    `place` is (source, environment, identity): two daemons on one repository never call their releases alike. RFC 1123, at most 253
    characters.
    """
    environment = UNSAFE.sub("-", place[1].lower()).strip("-")[:40].rstrip("-")
    digest = hashlib.sha256("\n".join(place).encode()).hexdigest()[:8]
    suffix = f"-{attempt}" if attempt > 1 else ""
    return f"{workload[:180]}-{environment or 'x'}-{digest}-{sha[:7] or 'none'}{suffix}"
