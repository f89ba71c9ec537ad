"""Tells the timeline to a person: colours and signs on a terminal, plain lines elsewhere."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from reconciler_sandbox.rehearsal.record import Entry, Outcome, Report

COLOURS = ("cyan", "magenta", "yellow", "blue", "green", "white")
PLAIN_WIDTH = 140
STYLES: Mapping[str, str] = {"title": "bold", "step": "bold", "say": "italic dim", "note": "dim"}
SIGNS: Mapping[str, str] = {"title": "━━", "step": "▸"}


class Narrator:
    """Prints entries as they come; every lane has its colour."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lanes: dict[str, str] = {}

    def tell(self, entry: Entry) -> None:
        """One line, or three for an expectation that was missed."""
        line = self._head(entry)
        if entry.outcome is None:
            line.append(f"{SIGNS.get(entry.kind, '  ')} {entry.text}", STYLES.get(entry.kind, ""))
            self._console.print(line, soft_wrap=True)
            return
        self._console.print(self._verdict(line, entry.outcome), soft_wrap=True)
        if not entry.outcome.held:
            for name, text in (("expected", entry.outcome.expected), ("observed", entry.outcome.observed)):
                self._console.print(Text(f"{'':24}{name}: {text}", style="red"), soft_wrap=True)

    def parts(self, report_parts: Sequence[tuple[str, str]]) -> None:
        """What is real and what is not, before anything happens."""
        self._console.print("[bold]What is real here[/bold]")
        for part, what in report_parts:
            self._console.print(f"  [bold]{escape(part):11}[/bold] {escape(what)}", soft_wrap=True)
        self._console.print()

    def ending(self, report: Report) -> None:
        """The log of the repository, the comment that matters most, and how it ended."""
        self._console.print("\n[bold]git log --oneline[/bold]")
        for line in report.log:
            self._console.print(Text(f"  {line}"), soft_wrap=True)
        self._comment(report)
        missed, total = len(report.missed), len(report.outcomes)
        if missed:
            self._console.print(f"\n[bold red]✗ {missed} of {total} expectations missed[/bold red] after {report.seconds:.0f} s:")
            for outcome in report.missed:
                words = f"  {outcome.lane}: {outcome.what}\n    expected: {outcome.expected}\n    observed: {outcome.observed}"
                self._console.print(Text(f"{words}\n    written at: {outcome.place}"), soft_wrap=True)
            return
        self._console.print(f"\n[bold green]✓ all {total} expectations held[/bold green] in {report.seconds:.0f} s")

    def _comment(self, report: Report) -> None:
        told = [(pull, pull.comments[-1]) for pull in report.pulls if pull.comments]
        if not told:
            return
        pull, comment = next(((p, c) for p, c in told if any(state == "failure" for _, state, _ in p.statuses)), told[-1])
        visible = "\n".join(line for line in comment.splitlines() if not line.startswith("<!--"))
        title = f"the comment on pull request #{pull.number} “{escape(pull.title)}”"
        self._console.print()
        if self._console.is_terminal:
            self._console.print(Panel(Markdown(visible), title=title, title_align="left"))
            return
        self._console.print(title)
        self._console.print(Padding(Text(visible.strip()), (0, 0, 0, 2)))

    def _head(self, entry: Entry) -> Text:
        colour = self._lanes.setdefault(entry.lane.partition("/")[0], COLOURS[len(self._lanes) % len(COLOURS)])
        return Text.assemble((f"{entry.at:6.1f} s  ", "dim"), (f"{entry.lane[:12]:12} ", colour))

    def _verdict(self, line: Text, outcome: Outcome) -> Text:
        sign, style = ("✓", "green") if outcome.held else ("✗", "bold red")
        line.append(f"{sign}  {outcome.what}", style)
        if outcome.held:
            line.append(f"  {_short(outcome.observed)}", "dim")
        return line


def _short(text: str, limit: int = 90) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
