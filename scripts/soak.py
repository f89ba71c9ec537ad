"""Plays days with many workloads under virtual time and says whether memory, queues and writes for a release stay as they were."""

import argparse
import sys
import time
from collections.abc import Sequence

from reconciler_sandbox.rehearsal.soak import Soak, growth, wrong_with


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--workloads", type=int, default=200)
    parser.add_argument("--releases", type=int, default=20, help="how many versions are pushed on each day")
    asked = parser.parse_args(words)
    begun = time.process_time()
    days = Soak(asked.workloads, asked.releases, lambda day: print(day, flush=True)).days(asked.days)
    memory, writes = growth(days)
    print(f"the later half beside the earlier one: {memory:.2f} of the objects, {writes:.2f} of the writes for a release")
    played = f"{asked.days} days, {asked.workloads} workloads, {asked.days * asked.releases} releases"
    print(f"{played}: {time.process_time() - begun:.0f} s of one core")
    wrong = list(wrong_with(days))
    print(*(f"✗ {line}" for line in wrong), sep="\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
