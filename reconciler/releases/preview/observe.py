"""Sends a tester's request to each service that a policy names and looks whether its header arrived. What goes wrong is an answer, too."""

from collections.abc import Awaitable, Callable

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.releases.preview.life import ProbeQuestion
from reconciler.releases.preview.record import Propagation
from reconciler.web.client import HttpAnswer, HttpCall

TIMEOUT, LIMIT, LONGEST_TEXT = 5.0, 1 << 16, 200
UNKNOWN = "the condition of its header is an expression, or there is none: write preview.probe.value in the policy"
Send = Callable[[HttpCall], Awaitable[HttpAnswer]]


def _received(body: bytes, name: str, value: str) -> bool:
    """True when an echo tells both: a short value alone stands in many an answer by chance."""
    return name.lower().encode() in body.lower() and value.encode() in body


async def propagation(send: Send, question: ProbeQuestion) -> Propagation:
    """The services in their order, up to the first without the header, or without an answer. An answer is never shown, only searched."""
    if question.header is None:
        return Propagation(at=question.at, problem=UNKNOWN)
    name, value = question.header
    reached: list[str] = []
    for hop in question.hops:
        address = f"{question.address.rstrip('/')}{hop.path}"
        try:
            answer = await send(HttpCall(method="GET", url=address, headers={name: value}, timeout=TIMEOUT, limit=LIMIT))
        except (Transient, Terminal) as error:
            return Propagation(
                at=question.at, reached=tuple(reached), problem=f"{hop.service}: {Redactor().text(str(error))[:LONGEST_TEXT]}"
            )
        if not 200 <= answer.status < 300:
            return Propagation(at=question.at, reached=tuple(reached), problem=f"{hop.service}: {hop.path} answers {answer.status}")
        if not _received(answer.body, name, value):
            return Propagation(at=question.at, reached=tuple(reached), lost=hop.service)
        reached.append(hop.service)
    return Propagation(at=question.at, reached=tuple(reached))
