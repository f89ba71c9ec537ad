"""The query protocol of AWS: an action as a signed form, its result as XML, a refusal as a code and words.

STS and Elastic Load Balancing speak it ("Query requests" in the API references; the service models that AWS publishes for its SDKs name
protocol and version). What comes back is from outside: bounded in bytes, depth and elements, and a document type, which alone could
declare entities, is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from reconciler.aws.signing import Keys, SigningScope, signed
from reconciler.kernel.errors import Terminal
from reconciler.kernel.redaction import Redactor
from reconciler.web.client import HttpAnswer, HttpCall

Send = Callable[[HttpCall], Awaitable[HttpAnswer]]
"""What carries a request: a client with the bounds of its owner."""
TIMEOUT, LIMIT = 10.0, 4 << 20
DEEPEST, MOST_ELEMENTS = 30, 200_000
SHOWN = 300
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class QueryService:
    """One service in one region: its name in signatures, the version of its API, and its address."""

    name: str
    version: str
    address: str
    region: str


async def query(send: Send, service: QueryService, asked: Mapping[str, str], keys: Keys | None, now: datetime) -> Element:
    """The result of an action, asked for without a signature where there are no keys yet. Raises Terminal with the service's code and
    words when it refuses; Transient when it gives no answer.
    """
    action = asked["Action"]
    body = urlencode({"Version": service.version, **asked}).encode()
    call = HttpCall(method="POST", url=f"{service.address}/", headers=FORM, body=body, timeout=TIMEOUT, limit=LIMIT)
    if keys is not None:
        call = signed(call, keys, SigningScope(service.region, service.name), now)
    answer = await send(call)
    if answer.status != 200:
        # A signature that does not match is answered with the whole request as the service saw it, the session token included.
        known = Redactor((keys.texts if keys is not None else frozenset()) | {asked.get("WebIdentityToken", "")} - {""})
        raise Terminal(known.text(f"aws: {action} answered {answer.status}: {_refusal(answer)}")[:SHOWN])
    try:
        found = parse(answer.body).find(f"{action}Result")
    except ValueError as error:
        raise Terminal(f"aws: {action} was answered in a form that cannot be read: {error}"[:SHOWN]) from error
    if found is None:
        raise Terminal(f"aws: {action} was answered without a result")
    return found


def parse(body: bytes) -> Element:
    """The root element of a document, by the names as they are written. Raises ValueError."""
    tree = TreeBuilder()
    depth = elements = 0

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > DEEPEST or elements > MOST_ELEMENTS:
            raise ValueError("XML too deep or too large")
        tree.start(name, {})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        tree.end(name)

    def typed(*declared: object) -> None:
        raise ValueError("XML with a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, tree.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = typed
    try:
        # The encoding is ours, whatever the document declares: what is no UTF-8 is no answer.
        parser.Parse(body.decode(), True)
    except expat.ExpatError as error:
        raise ValueError(f"no XML ({error})") from error
    return tree.close()


def text_of(element: Element, name: str) -> str:
    """The text of a member; empty where there is none."""
    return (element.findtext(name) or "").strip()


def _refusal(answer: HttpAnswer) -> str:
    """Code and words of an error, in one line."""
    try:
        error = parse(answer.body).find("Error")
    except ValueError:
        error = None
    if error is None:
        return "no reason given"
    return " ".join(f"{text_of(error, 'Code')}: {text_of(error, 'Message') or 'no reason given'}".split())
