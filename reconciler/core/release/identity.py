"""What a release is called: the same template and config asked for by Git have the same identity (docs/configuration.md, terms)."""

import hashlib
import json
from collections.abc import Mapping

from reconciler.model.identity import Manifest


def identity(template: Manifest, config: Mapping[str, str]) -> str:
    """A hash over the whole pod template as Git has it and over the config it references (name → content hash)."""
    text = json.dumps([template, dict(sorted(config.items()))], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def release_name(workload: str, identity: str, sha: str) -> str:
    """A deterministic name, so that a pass cut in half finds its own object again (RFC 1123, at most 253 characters)."""
    return f"{workload[:200]}-{identity[:8]}-{sha[:7]}"
