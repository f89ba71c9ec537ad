"""Makes, sizes and removes the baseline pair of a comparison. What the server refuses ends no pass: it is on record, and tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from reconciler.kernel.errors import Transient
from reconciler.kernel.plan import Plan
from reconciler.kube.errors import ApiError
from reconciler.releases.comparison.pair import pair_actions
from reconciler.releases.model import PairRefusal, ReleaseStatus
from reconciler.releases.verdict.judge import Look
from reconciler.runtime.apply import Apply

AGAIN = timedelta(minutes=1)
LONGEST_REASON = 300
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Beside:
    """What became of one look at what stands beside a release: something was written, or has to go on record, or is due later."""

    written: bool = False
    record: ReleaseStatus | None = None
    wake_at: datetime | None = None

    @property
    def moved(self) -> bool:
        """True when the release has to be looked at again before anything else is done for it."""
        return self.written or self.record is not None


async def keep_pair(apply: Apply, look: Look) -> Beside:
    """One look at the pair of one release."""
    release, now = look.release, look.now
    actions, refused = pair_actions(release, look.policy.compare, look.facts), release.status.pair_refused
    if refused is not None and now < refused.at + AGAIN:
        return Beside(wake_at=refused.at + AGAIN if actions else None)
    try:
        await apply(Plan(actions))
    except (ApiError, Transient) as error:
        log.warning("baseline of a comparison", release=f"{release.namespace}/{release.name}", reason=str(error))
        reason = f"the server does not make or remove the pods of the baseline: {error}"[:LONGEST_REASON]
        return Beside(record=replace(release.status, pair_refused=PairRefusal(at=now, reason=reason)))
    if refused is not None:
        return Beside(record=replace(release.status, pair_refused=None))
    return Beside(written=bool(actions))
