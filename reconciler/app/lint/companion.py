"""What is written for an applier of ours and does nothing where another tool applies (companion mode)."""

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.app.settings.model import Settings
from reconciler.kernel.identity import Manifest

POLICY: Mapping[str, str] = {
    "keepRejected": "has no effect in companion mode: the other tool applies what Git is restored to at once",
    "onConfigChange": "has no effect in companion mode: the other tool writes the template, and marks it or not",
    "rollout": "has no effect in companion mode: the other tool applies the Deployment, and nobody adopts it",
    "holdWindow": "in companion mode a hold only restores Git: the other tool may deploy the held version until then",
}
"""Fields of a policy's spec, and what becomes of them."""
SOURCE: Mapping[str, str] = {
    "prune": "has no effect in companion mode: the other tool removes",
    "pruneLimit": "has no effect in companion mode: the other tool removes",
    "windows": "has no effect in companion mode: the other tool applies when it may",
    "hooks": "has no effect in companion mode: the other tool runs them",
    "serviceAccount": "has no effect in companion mode: the other tool applies, in its own name",
    "drift": "has no effect in companion mode: the other tool applies, and tells of drift",
    "ignoreDifferences": "has no effect in companion mode: write them where the other tool reads them",
    "waveDeadline": "has no effect in companion mode: the other tool applies, wave by wave",
}
"""The same for a source of the settings."""


def accompanies(settings: Iterable[Settings]) -> bool:
    """True when releases are judged, and always beside another applier."""
    judged = [source for one in settings for source in one.sources if source.apply or source.companion]
    return bool(judged) and all(source.companion for source in judged)


def idle_policy_remarks(manifest: Manifest) -> Remarks:
    """The fields of a policy that do less in companion mode than they say."""
    yield from _idle("spec", manifest.get("spec"), POLICY)


def idle_source_remarks(document: Any, settings: Settings) -> Remarks:
    """The same of a settings file's sources."""
    for index, source in enumerate(settings.sources):
        if source.companion:
            yield from _idle(f"sources[{index}]", document["sources"][index], SOURCE)


def _idle(field: str, written: Any, known: Mapping[str, str]) -> Remarks:
    for name, words in known.items():
        if isinstance(written, dict) and written.get(name) is not None:
            yield Remark(f"{field}.{name}", words, Severity.WARNING)
