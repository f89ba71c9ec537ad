"""The quick way to try many mutants: one process collects the tests once and forks for each mutant.

A fork exchanges the code of the broken function and runs only the tests that reach it, the quickest first. Of code that runs while
modules are imported only a fresh process can tell; the answer is then `None`.
"""

import gc
import os
import pickle
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import FunctionType
from typing import NoReturn, TypeVar

import pytest

from scripts.mutants.mutations import Trial
from scripts.mutants.reached import Function, recorded
from scripts.mutants.swap import living, swapped

Answer = TypeVar("Answer")
Tell = Callable[[Trial, bool | None], None]


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
        courses = in_fork(lambda: [self._course(item) for item in session.items], 10 * self._limits.seconds, None)
        if courses is None or not all(course.passed for course in courses):
            raise session.Failed("the tests do not pass without a mutant")
        for trial in self._trials:
            if time.monotonic() > self._limits.deadline:
                break
            self._tell(trial, self._survives(trial, dict(zip(session.items, courses, strict=True))))
        return True

    def _course(self, item: pytest.Item) -> Course:
        self._failed = False
        began = time.monotonic()
        with recorded(f"{self._root}/reconciler/") as reached:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        return Course(frozenset(reached), time.monotonic() - began, not self._failed)

    def _survives(self, trial: Trial, courses: Mapping[pytest.Item, Course]) -> bool | None:
        path = str(self._root / trial.path)
        function = (path, trial.mutant.within[0])
        if not trial.mutant.within[0] or function in self._imported:
            return None
        reaching = self._quickest({item: course.seconds for item, course in courses.items() if function in course.reached})
        return in_fork(lambda: self._passes(path, trial, reaching), self._limits.seconds, False) if reaching else True

    def _quickest(self, seconds: Mapping[pytest.Item, float]) -> list[pytest.Item]:
        ordered = sorted(seconds, key=lambda item: seconds[item])
        spent = accumulate(seconds[item] for item in ordered)
        return [item for item, sofar in zip(ordered, spent, strict=True) if sofar <= self._limits.within]

    def _passes(self, path: str, trial: Trial, items: Sequence[pytest.Item]) -> bool | None:
        if not swapped(self._functions, path, trial.mutant):
            return None
        self._failed = False
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return False
        return True


def in_fork(work: Callable[[], Answer], seconds: int, otherwise: Answer) -> Answer:
    """What the work answers in a fork of this process; `otherwise` when the fork dies or takes too long. Nothing of it is left running."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, seconds, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    answer: Answer = pickle.loads(said) if said else otherwise  # noqa: S301  # our own fork wrote it
    return answer


def _answer(work: Callable[[], Answer], seconds: int, writer: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        signal.alarm(seconds)
        silence = os.open(os.devnull, os.O_RDWR)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.write(writer, pickle.dumps(work()))
    finally:
        os._exit(0)
