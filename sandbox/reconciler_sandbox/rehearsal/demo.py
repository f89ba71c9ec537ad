"""The demo: stories side by side on one stage, told as they happen, then shown on one page.

Everything that is called real is: git over HTTP, Envoy, kubectl, the daemon as a process of its own.
"""

import asyncio
import json
import logging
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import structlog
from rich.console import Console

from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.actions import Hands
from reconciler_sandbox.rehearsal.browsing import browsing
from reconciler_sandbox.rehearsal.fittings import PERSON, REPOSITORY
from reconciler_sandbox.rehearsal.gather import Told, gather
from reconciler_sandbox.rehearsal.narrate import PLAIN_WIDTH, Narrator
from reconciler_sandbox.rehearsal.page import page
from reconciler_sandbox.rehearsal.parse import load_story
from reconciler_sandbox.rehearsal.player import Player
from reconciler_sandbox.rehearsal.record import Entry, Report
from reconciler_sandbox.rehearsal.sequences import Held, Sequences, commits, differences
from reconciler_sandbox.rehearsal.stage import Stage, WholeStage
from reconciler_sandbox.rehearsal.story import Story

STORIES = Path(__file__).parent / "stories"
FILES: Mapping[str, str] = {"storefront": "demo.yaml", "web": "web.yaml", "checkout": "checkout.yaml", "search": "search.yaml"}
ASIDE_FILES: Mapping[str, str] = {"catalog": "catalog.yaml"}
"""Stories that are played when they are asked for: each needs a source of its own, and time."""
TITLE = "From git push to a proven release, and back"
PARTS = (
    ("real", "git: clones, pushes and polls over HTTP, answered by git http-backend"),
    ("real", "Envoy: the gateway and the mesh every request passes"),
    ("real", "the daemon: reconciler run, a process of its own, and its command line"),
    ("real", "the requests: every share is counted from answers"),
    ("ours", "the Kubernetes API server and its controllers; kubectl works with it"),
    ("ours", "pods: small HTTP servers that behave as their image's row says"),
    ("ours", "metrics (scraped from Envoy, asked in PromQL) and the forge's pages (GitHub's REST API)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line asks for."""

    out: Path
    as_json: bool = False
    interactive: bool = False
    only: str = ""
    whole: bool = False
    compare: bool = False
    """Then play the same under virtual time, and say what came in another order."""
    sample: Path = Path("sample-repo")


def demonstrate(order: Order) -> bool:
    """Play, show, write `out`; whether every expectation held. Raises Terminal when the demo cannot be played here."""
    stories = chosen_stories(order.only, whole=order.whole)
    if not (order.sample / "environments").is_dir():
        raise Terminal(f"{order.sample}: is no manifest repository; run this in the project's folder or name it with --repository")
    try:
        order.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Terminal(f"{order.out}: cannot be made: {reason_of(error)}; name a folder that can be written with --out") from error
    with _logs_in(order.out / "sandbox.log"):
        try:
            held, sequences = asyncio.run(_demonstrate(order, stories))
            return held and (not order.compare or _compared(order, stories, sequences))
        except asyncio.CancelledError:
            sys.stderr.write("\nstopped; everything is cleaned up\n")
            return False


def chosen_stories(only: str, *, whole: bool = False) -> list[Story]:
    """The stories to play: one, those of the demo, or all there are. Raises Terminal for an app that has none."""
    known = {**FILES, **ASIDE_FILES}
    if only and only not in known:
        raise Terminal(f"--only {only}: there is no such story; there are {', '.join(known)}")
    chosen = [only] if only else list(known if whole else FILES)
    return [load_story(STORIES / known[app], app) for app in chosen]


def images_of(stories: list[Story]) -> Mapping[str, Behaviour]:
    """Every image that any story knows: what is not played may still be tried by hand."""
    return {image: behaviour for story in stories for image, behaviour in story.images.items()}


async def _demonstrate(order: Order, stories: list[Story]) -> tuple[bool, Mapping[str, Sequence[Held]]]:
    _cancel_on_signals()
    console = _console(order)
    narrator = Narrator(console)
    narrator.parts(PARTS)
    entries: list[Entry] = []

    def narrate(entry: Entry) -> None:
        entries.append(entry)
        narrator.tell(entry)

    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(_stage(order, stories))
        stack.callback(_keep_log, stage, order.out)
        sequences = Sequences(time.time)
        stage.server.store.observers.append(sequences.hear)
        hands = await stack.enter_async_context(Hands(stage))
        player = Player(stage, hands, narrate)
        for group in in_turn(stories):  # one after the other, so that more stories need more time and not a faster machine
            await player.play(group)
        seen = sequences.held()
        report = await gather(stage, Told(TITLE, PARTS, entries))
        _write(order, report)
        narrator.ending(report)
        console.print(f"  {order.out / 'index.html'} shows all of it; the daemon's log is {order.out / 'daemon.log'}", soft_wrap=True)
        if order.interactive:
            async with browsing(stage.kubeconfig) as looking:
                await _stay(stage, console, looking)
    subjects = [line.partition(" ")[2] for line in reversed(report.log)]
    return not report.missed, {**seen, **commits(subjects, [story.lane for story in stories])}


def _compared(order: Order, stories: list[Story], real: Mapping[str, Sequence[Held]]) -> bool:
    """Play what is played in the demo under virtual time, too; whether every object went through the same."""
    from reconciler_sandbox.rehearsal.virtual.staged import play_stories  # only this needs the daemon in this process

    console, chosen = _console(order), [story for story in stories if story.lane not in ASIDE_FILES]
    virtual = play_stories(chosen, order.sample, images_of(chosen_stories("", whole=True)))
    here = {name: held for name, held in real.items() if not any(aside in name for aside in ASIDE_FILES)}
    found = [*virtual.missed, *differences(here, virtual.sequences, ("in real time", "under virtual time"))]
    for line in found:
        console.print(f"  ✗ {line}", style="red", soft_wrap=True, markup=False)
    if not found:
        console.print(f"  ✓ under virtual time the same: {len(here)} sequences of phases, steps, weights, verdicts and commits")
    return not found


def in_turn(stories: list[Story]) -> list[list[Story]]:
    """The stories of the demo side by side, then those beside it."""
    groups = [[story for story in stories if (story.lane in ASIDE_FILES) is aside] for aside in (False, True)]
    return [group for group in groups if group]


def _stage(order: Order, stories: list[Story]) -> Stage:
    """The stage of these stories; it knows every image there is."""
    aside = any(story.lane in ASIDE_FILES for story in stories)
    return (WholeStage if aside else Stage)(order.sample, images_of(chosen_stories("", whole=True)))


def _write(order: Order, report: Report) -> None:
    (order.out / "index.html").write_text(page(report), encoding="utf-8")
    document = {
        "held": not report.missed,
        "seconds": round(report.seconds, 1),
        "expectations": [asdict(outcome) for outcome in report.outcomes],
        "log": list(report.log),
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (order.out / "demo.json").write_text(text, encoding="utf-8")
    if order.as_json:
        sys.stdout.write(text)
        sys.stdout.flush()


def _console(order: Order) -> Console:
    """People read stdout; with --json that belongs to machines, and people read stderr."""
    file: IO[str] = sys.stderr if order.as_json else sys.stdout
    return Console(file=file, width=None if file.isatty() else PLAIN_WIDTH, highlight=False)


async def _stay(stage: Stage, console: Console, looking: tuple[str, str]) -> None:
    """Keep everything up until Ctrl-C, and say what can be tried; `looking`: the console's address, and the one with its key."""
    host, port = stage.mesh.gateway_address(80)
    clone, kubeconfig = stage.host.clone_url(REPOSITORY, PERSON), stage.kubeconfig
    lines = (
        "",
        "Everything stays up until Ctrl-C.",
        f"  git         git clone {clone}",
        f"  kubernetes  export KUBECONFIG={kubeconfig}",
        f"  console     {looking[0]}  (to press verbs in it, open this once: {looking[1]})",
        f"  mesh        http://{host}:{port}  (Host: storefront.example.com, checkout.example.com)",
        "",
        "Things to try:",
        "  1. Release: change newTag in storefront/overlays/demo, or an image under environments/demo (1.0 and 1.1 are good, 1.2 is bad),",
        "     commit, push;",
        "     then watch it: reconciler get rollout storefront -n shop --watch",
        f"  2. Be a tester: curl -H 'Host: storefront.example.com' -H 'x-release-tester: me' http://{host}:{port}/",
        "  3. Ask why: reconciler explain storefront -n shop; see what is held: reconciler hold list -n shop",
        f"  4. Look, and press verbs, in a browser: {looking[1]}",
    )
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
    task = asyncio.current_task()
    assert task is not None
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task.uncancel()
        console.print("\nstopping")


def _keep_log(stage: Stage, out: Path) -> None:
    if stage.daemon.log.exists():
        shutil.copyfile(stage.daemon.log, out / "daemon.log")


def _cancel_on_signals() -> None:
    """The first Ctrl-C or SIGTERM ends the demo in order; further ones wait for that."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    stopped = asyncio.Event()

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


@contextmanager
def _logs_in(path: Path) -> Iterator[None]:
    """The sandbox's own words go to a file: stdout is the timeline's, or JSON's."""
    with path.open("w", encoding="utf-8") as file:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file), cache_logger_on_first_use=False)
        recorder = logging.StreamHandler(file)
        logging.getLogger().addHandler(recorder)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(recorder)
            structlog.reset_defaults()
