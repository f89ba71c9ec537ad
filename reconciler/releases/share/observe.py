"""Asks how many requests canary and stable served in one window. Whatever goes wrong outside is an answer that says so."""

import asyncio

from reconciler.analysis.arguments import substitute
from reconciler.analysis.provider import Counters, CounterTask
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.releases.model import Release
from reconciler.releases.share.sample import ShareQuestion, ShareSample
from reconciler.releases.share.terms import ShareTerms

LONGEST = 15.0
LONGEST_TEXT = 300


async def share(counters: Counters, release: Release, terms: ShareTerms, asked: ShareQuestion) -> ShareSample:
    """Both sides at once."""
    tasks = [_task(release, terms, asked, side) for side in (asked.canary, asked.stable)]
    try:
        async with asyncio.timeout(LONGEST):
            answers = await asyncio.gather(*map(counters.gained, tasks), return_exceptions=True)
    except TimeoutError:
        return ShareSample(asked, problem=f"no answer within {LONGEST:g} s")
    for found in answers:
        if isinstance(found, Terminal | Transient):
            return ShareSample(asked, problem=Redactor().text(str(found))[:LONGEST_TEXT])
        if isinstance(found, BaseException):
            raise found
    canary, stable = (found for found in answers if not isinstance(found, BaseException))
    return ShareSample(asked, canary, stable)


def _task(release: Release, terms: ShareTerms, asked: ShareQuestion, side: str) -> CounterTask:
    values = {"hash": side, "namespace": release.namespace, "workload": release.spec.workload.name}
    [selected] = substitute([{"requests": terms.requests}], values)
    selector = selected["requests"]
    return CounterTask(address=terms.address, selector=selector, known_by=selector, start=asked.start, end=asked.end)
