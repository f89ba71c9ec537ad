"""Puts a console together around one client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.app.console.board import Board
from reconciler.app.console.door import OpenDoor
from reconciler.app.console.pages import ConsoleScope, Pages
from reconciler.app.console.pressing import Presser
from reconciler.app.console.rendering import PageRenderer
from reconciler.app.console.sealing import Seal
from reconciler.app.console.server import LOCAL, Console, Entrance
from reconciler.app.console.verb_pages import VerbPages
from reconciler.kernel.clock import Clock
from reconciler.kube.client import Client


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What serves a console, and what writes one into files."""

    pages: Pages
    renderer: PageRenderer
    console: Console


@contextmanager
def assembled(client: Client, clock: Clock, scope: ConsoleScope, *, live: bool, entrance: Entrance | None = None) -> Iterator[ConsoleParts]:
    """A console that reads through this client, until left; `live` when it is served, not written into files."""
    board = Board(client, clock)
    pages, renderer = Pages(board, clock, scope), PageRenderer(scope, live=live)
    try:
        verbs = VerbPages(pages, Presser(client, clock), Seal(clock), clock)
        yield ConsoleParts(pages, renderer, Console(pages, renderer, verbs, entrance or Entrance(LOCAL, OpenDoor()), clock))
    finally:
        board.close()
