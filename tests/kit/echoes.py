"""Services that answer with the headers they received, as an echo page does; some get none, some do not answer."""

from dataclasses import dataclass, field

from reconciler.kernel.errors import Transient
from reconciler.web.client import HttpAnswer, HttpCall


async def nobody(call: HttpCall) -> HttpAnswer:
    """For those who must not ask."""
    raise AssertionError(f"asked {call.url}")


@dataclass
class Echoes:
    """By path: `deaf` ones receive no header of testers, `statuses` are what else than 200 is answered, `away` do not answer at all."""

    deaf: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    statuses: dict[str, int] = field(default_factory=dict)
    page: str = ""
    """What stands in every answer besides."""
    asked: list[HttpCall] = field(default_factory=list)

    async def send(self, call: HttpCall) -> HttpAnswer:
        self.asked.append(call)
        path = "/" + call.url.split("/", 3)[3]
        if path in self.away:
            raise Transient(f"{call.url}: no answer")
        said = {} if path in self.deaf else dict(call.headers)
        return HttpAnswer(self.statuses.get(path, 200), {}, f"{said}{self.page}".encode())
