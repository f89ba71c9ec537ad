"""Begins what measures a version that all users are on: after its promotion, and again while it serves (ADR 0010, 0033)."""

from datetime import timedelta

import structlog

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.plan import Create, Plan
from reconciler.kernel.resources import ANALYSIS_RUNS
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError
from reconciler.releases.comparison.apply_pair import Beside
from reconciler.releases.model import ReleasePhase
from reconciler.releases.verdict.after_promotion import after_name
from reconciler.releases.verdict.judge import Look
from reconciler.releases.verdict.observe_after_promotion import after_promotion_run
from reconciler.releases.verdict.reverification import Check, check, kept_for_a_day
from reconciler.runtime.apply import Apply

AGAIN = timedelta(minutes=10)
log = structlog.get_logger()


async def begin_after_promotion(client: Client, apply: Apply, look: Look) -> bool:
    """Create the run that measures after promotion, once. Its name is the release's, so a cut pass finds it again."""
    release, after = look.release, look.policy.after_promotion
    if release.status.phase is not ReleasePhase.WATCHING or after is None or look.facts.after is not None:
        return False
    run = await after_promotion_run(client, release, after_name(release), after.analysis)
    await apply(Plan((Create(ANALYSIS_RUNS, run),)))
    return True


async def reverify(client: Client, apply: Apply, look: Look) -> Beside:
    """One look at one release that is over. What goes wrong outside is tried again later."""
    found = check(look.release, look.policy, look.facts, look.now)
    if found.record is not None:
        return Beside(record=found.record)
    try:
        return Beside(written=await _carried_out(client, apply, look, found), wake_at=found.wake_at)
    except (ApiError, Transient, Terminal) as error:
        log.warning("a proven version is not measured again", release=f"{look.release.namespace}/{look.release.name}", reason=str(error))
        return Beside(wake_at=look.now + AGAIN)


async def _carried_out(client: Client, apply: Apply, look: Look, found: Check) -> bool:
    again = look.policy.reverify
    if found.begin and again is not None:
        run = await after_promotion_run(client, look.release, found.begin, again.analysis)
        await apply(Plan((Create(ANALYSIS_RUNS, kept_for_a_day(run)),)))
    elif found.end is not None:
        await apply(Plan((found.end,)))
    else:
        return False
    return True
