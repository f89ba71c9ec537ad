"""The quick way to try many mutants: one process collects the tests once and forks for each mutant.

A fork exchanges the code of the broken function and runs only the tests that reach it: first those that noticed other mutants of the
module, then its own, its folder's, and the quickest. Of code that runs while modules are imported only a fresh process can tell; the
answer is then `None`.
"""

import gc
import os
import pickle
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing.connection import wait
from pathlib import Path
from types import FunctionType
from typing import NoReturn, TypeVar

import pytest

from scripts.mutants.mutations import Trial
from scripts.mutants.reached import Function, recorded
from scripts.mutants.swap import living, swapped

Answer = TypeVar("Answer")
Tell = Callable[[Trial, bool | None], None]
NOBODY, TOO_LONG = -1, -2
"""No test noticed a mutant; the run took too long or died, which is to notice it."""


@dataclass(frozen=True, slots=True)
class Course:
    """One run of one test: the functions that it calls, the seconds that it takes, whether it passes."""

    reached: frozenset[Function]
    seconds: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The monotonic time to stop at, the seconds that the tests of one mutant may take, and how many seconds of its tests are run."""

    deadline: float
    seconds: int
    within: float


class Sieve:
    """A pytest plug-in that tries mutants instead of running a session, and tells which survive."""

    def __init__(self, root: Path, trials: Sequence[Trial], limits: Limits, tell: Tell) -> None:
        self._root = root
        self._trials = trials
        self._limits = limits
        self._tell = tell
        self._failed = False
        self._imports = recorded(f"{root}/reconciler/")
        self._imported: set[Function] = set()
        self._functions: tuple[FunctionType, ...] = ()
        self._noticers: Counter[tuple[str, str]] = Counter()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._imported = self._imports.__enter__()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._imports.__exit__(None, None, None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Each test once as it is, in a fork that leaves no cache warm; then each mutant."""
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        self._functions = living(f"{self._root}/reconciler/")
        gc.freeze()  # what the collector does not touch, the forks share
        courses = {item: course for item in session.items if (course := self._recorded(item)) is not None}
        if not all(course.passed for course in courses.values()):
            raise session.Failed("the tests do not pass without a mutant")
        for trial in self._trials:
            if time.monotonic() > self._limits.deadline:
                break
            self._tell(trial, self._survives(trial, courses))
        return True

    def _recorded(self, item: pytest.Item) -> Course | None:
        """The course of one test; None of one that takes longer than the tests of a mutant may: no mutant would run it."""
        began = time.monotonic()
        most = min(10 * self._limits.within, 10 * self._limits.seconds)
        course = in_fork(lambda: self._course(item), most, None)
        if course is None and time.monotonic() - began < most:
            return Course(frozenset(), most, passed=False)
        return course

    def _course(self, item: pytest.Item) -> Course:
        self._failed = False
        began = time.process_time()  # a busy machine makes no test a slow one
        with recorded(f"{self._root}/reconciler/") as reached:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        return Course(frozenset(reached), time.process_time() - began, not self._failed)

    def _survives(self, trial: Trial, courses: Mapping[pytest.Item, Course]) -> bool | None:
        path = str(self._root / trial.path)
        function = (path, trial.mutant.within[0])
        if not trial.mutant.within[0] or function in self._imported:
            return None
        items = self._likeliest(trial.path, {item: course.seconds for item, course in courses.items() if function in course.reached})
        noticed = in_fork(lambda: self._noticed(path, trial, items), self._limits.seconds, TOO_LONG) if items else NOBODY
        if noticed is None or noticed < 0:
            return None if noticed is None else noticed == NOBODY
        self._noticers[trial.path, items[noticed].nodeid] += 1
        return False

    def _likeliest(self, path: str, seconds: Mapping[pytest.Item, float]) -> list[pytest.Item]:
        """The tests that fit: those first that noticed most mutants of this module, then its own, its folder's, the quickest."""
        ordered = sorted(seconds, key=lambda item: (_distance(item, path), seconds[item]))
        spent = accumulate(seconds[item] for item in ordered)
        fitting = [item for item, sofar in zip(ordered, spent, strict=True) if sofar <= self._limits.within]
        return sorted(fitting, key=lambda item: -self._noticers[path, item.nodeid])

    def _noticed(self, path: str, trial: Trial, items: Sequence[pytest.Item]) -> int | None:
        """Which test fails first, NOBODY when all pass; None when only a fresh process can tell."""
        if not swapped(self._functions, path, trial.mutant):
            return None
        self._failed = False
        for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return place
        return NOBODY


def _distance(item: pytest.Item, path: str) -> int:
    """How far a test stands from a module: its own tests, those of its folder, others."""
    module = Path(path)
    if item.path.stem == f"test_{module.stem}":
        return 0
    return 1 if item.path.parent.name == module.parent.name else 2


def in_fork(work: Callable[[], Answer], seconds: float, otherwise: Answer) -> Answer:
    """What the work answers in a fork of this process; `otherwise` when the fork dies or takes too long. Nothing of it is left running."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        # The parent keeps the time: tests set alarms of their own.
        answered = wait([stream], min(seconds, threading.TIMEOUT_MAX))
        said = stream.read() if answered else b""
    _end(child)
    os.waitpid(child, 0)
    answer: Answer = pickle.loads(said) if said else otherwise  # noqa: S301  # our own fork wrote it
    return answer


def _end(child: int) -> None:
    """End a fork with all that it started."""
    for end in (os.killpg, os.kill):  # by its own id too: it may not lead a group yet
        with suppress(ProcessLookupError):
            end(child, signal.SIGKILL)


def _answer(work: Callable[[], Answer], writer: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_RDWR)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.write(writer, pickle.dumps(work()))
    finally:
        os._exit(0)
