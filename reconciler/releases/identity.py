"""What a release is called: the same template and config asked for by Git have the same identity (docs/configuration.md, terms)."""

import hashlib

from reconciler.sources.documents import Parsed
from reconciler.sources.templates import Workload, identity


def identity_hash(parsed: Parsed, workload: Workload) -> str:
    """A hash over the whole pod template as Git has it and over the config it references."""
    return hashlib.sha256(identity(parsed, workload).encode()).hexdigest()


def release_name(workload: str, identity: str, sha: str, attempt: int = 1) -> str:
    """A deterministic name, so that a pass cut in half finds its own object again (RFC 1123, at most 253 characters)."""
    suffix = f"-{attempt}" if attempt > 1 else ""
    return f"{workload[:200]}-{identity[:8]}-{sha[:7]}{suffix}"
