"""What one release of a rehearsal left behind, and how it is told: text for people, JSON for machines, JUnit for pull requests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from xml.sax.saxutils import quoteattr

from reconciler_sandbox.rehearsal.chronicle import Chronicle, Moment
from reconciler_sandbox.rehearsal.record import Shares


@dataclass(frozen=True, slots=True)
class GitCommit:
    """One commit of main after the push: its short name, its words, who made it, and what it changed as `git diff` shows it."""

    name: str
    message: str
    author: str
    diff: str


@dataclass(slots=True)
class Played:
    """One release of one workload in one world: what happened, and what did not hold."""

    workload: str
    version: str
    seed: int | None
    """None in real time, which has no dice."""
    verdict: str = ""
    git: str = ""
    seconds: float = 0.0
    chronicle: Chronicle = field(default_factory=lambda: Chronicle(lambda: 0.0))
    begun: float = 0.0
    """When the version was pushed, by the chronicle's clock."""
    shares: list[Shares] = field(default_factory=list)
    commits: list[GitCommit] = field(default_factory=list)
    expected: str = "any"
    """The verdict that the story expects."""
    laws: tuple[str, ...] = ()
    """The names of the laws that were checked."""
    wrong: list[str] = field(default_factory=list)
    faults: tuple[str, ...] | None = None
    """The fewest kinds of faults with which something still does not hold, where they were looked for."""
    journal: str = ""
    """Where its passes are kept, if something did not hold."""

    @property
    def moments(self) -> list[Moment]:
        """The timeline."""
        return self.chronicle.moments

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return f"{self.workload}: {self.version}" + ("" if self.seed is None else f", seed {self.seed}")


def as_text(played: Sequence[Played]) -> str:
    """For people: the timeline of each release, then how it ended."""
    lines: list[str] = []
    for one in played:
        lines += ["", one.name, *(f"  {moment}" for moment in one.moments), *_ending(one)]
    return "\n".join(lines).strip() + "\n"


def ending_of(played: Sequence[Played]) -> str:
    """For people who have seen the timeline: how each release ended."""
    return "\n".join(line for one in played for line in ("", one.name, *_ending(one))) + "\n"


def _ending(one: Played) -> list[str]:
    lines = [f"  verdict {one.verdict} after {timedelta(seconds=round(one.seconds))} · Git {one.git}"]
    lines += [f"  ✗ {wrong}" for wrong in one.wrong] or ["  ✓ every law and expectation held"]
    if one.faults is not None:
        lines.append(f"  the shortest way to see it again: --seed {one.seed} --faults {','.join(one.faults) or 'none'}")
    return lines + ([f"  reconciler replay {one.journal}"] if one.journal else [])


def as_json(played: Sequence[Played]) -> str:
    """For machines."""
    return (
        json.dumps(
            {
                "held": not any(one.wrong for one in played),
                "releases": [
                    {
                        "workload": one.workload,
                        "version": one.version,
                        "seed": one.seed,
                        "verdict": one.verdict,
                        "git": one.git,
                        "seconds": round(one.seconds, 1),
                        "wrong": one.wrong,
                        "faults": one.faults,
                        "journal": one.journal,
                        "timeline": [{"at": round(m.at, 3), "subject": m.subject, "text": m.text} for m in one.moments],
                    }
                    for one in played
                ],
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


def as_junit(played: Sequence[Played]) -> str:
    """For the page of a pull request."""
    cases = []
    for one in played:
        failures = "".join(f"<failure message={quoteattr(wrong)}/>" for wrong in one.wrong)
        cases.append(f'  <testcase classname="simulate" name={quoteattr(one.name)} time="{one.seconds:.1f}">{failures}</testcase>\n')
    failed = sum(bool(one.wrong) for one in played)
    head = f'<testsuite name="reconciler simulate" tests="{len(played)}" failures="{failed}">\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{"".join(cases)}</testsuite>\n'
