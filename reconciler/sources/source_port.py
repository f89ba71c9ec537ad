"""What a source looks like to the passes that use it: its tip, its history, its pull requests, however they are fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Outcome
from reconciler.sources.model import Commit
from reconciler.sources.rewrites import Questions
from reconciler.sources.settings import SourceSettings


@dataclass(frozen=True, slots=True)
class Tip:
    """The head of the followed branch, parsed; `rewritten` when history was replaced since the last look."""

    sha: str
    parsed: Parsed
    rewritten: bool = False


class SourcePort(Protocol):
    """One followed source. Raises Transient when Git cannot be reached, Terminal when it refuses us or the branch is gone."""

    settings: SourceSettings

    @property
    def news_expected(self) -> bool:
        """True when the branch may have moved since the last look."""
        ...

    async def latest(self) -> Tip:
        """The tip; looked at now if news are expected, else as it was at the last look."""
        ...

    async def tip(self) -> Tip:
        """The tip as it is now, looked at in any case."""
        ...

    async def parsed_at(self, sha: str) -> Parsed | None:
        """The source as it was at a commit; None when that commit is no longer there."""
        ...

    async def answered(self, questions: Questions, tip: Parsed) -> Outcome:
        """The outcome of a way back through rendered files of a tip, with every question that it asks answered."""
        ...

    async def origin(self, files: Sequence[str], tip: str) -> Commit:
        """The commit that last touched any of these files, seen from the tip."""
        ...
