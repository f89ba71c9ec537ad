"""Prometheus: one instant or range query a measurement (contract 7.1)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from reconciler.analysis.conditions import Conditions
from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.provider import FALLBACK, PARTIAL, SERIES, STALE, CounterTask, MeasurementTask, Unparsed
from reconciler.aws.signing import SigningScope, signed
from reconciler.expr.syntax import ExpressionError
from reconciler.expr.values import Value
from reconciler.kernel.address import split_address
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.providers import google
from reconciler.providers.answers import failed, judged
from reconciler.providers.identities import Identities
from reconciler.providers.metrics_client import MetricsClient, Sharing, origin_of
from reconciler.providers.prometheus_counters import gained_query, gained_value
from reconciler.providers.prometheus_fallback import fallback_doubts
from reconciler.providers.prometheus_queries import instant_or_range, read, without_fallback
from reconciler.providers.prometheus_replay import PrometheusReplay
from reconciler.providers.promql import AnswerKind, misread, understand
from reconciler.providers.requests import FORM, basic, bearer, confided, headers_of, tokens_of
from reconciler.web.client import HttpAnswer, HttpCall

DEFAULT_TIMEOUT, COUNTER_TIMEOUT = 30, 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESPONSE_LIMIT = 8 << 20
OF_THE_QUERY = (400, 422)
"""What Prometheus answers to a query that it cannot read or carry out."""
HINT = "PromQL info:"
"""What such a warning says is about the query: nothing is missing (Prometheus before 3 has no list of its own for them)."""
PARTLY = "answered in part, which is no evidence: {words}"
MANAGED_SERVICE = "aps-workspaces"
REGION = re.compile(rf"{MANAGED_SERVICE}(?:-fips)?\.([a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True)
class Target:
    """The server to ask, and who we are there."""

    address: str
    authorization: Mapping[str, str] = field(repr=False)
    sign: Callable[[HttpCall], HttpCall] = field(default=lambda call: call, repr=False)
    """What a request needs that is signed as a whole."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What is never shown, beside the authorization."""


class Prometheus:
    """Asks the server a metric names, or else the default one."""

    shapes: ClassVar[Shapes] = {
        "prometheus": "address:text query:text timeout insecure headers[]:Header rangeQuery:Range authentication*",
        "Range": "start:text end:text step:text",
    }

    def __init__(self, client: MetricsClient, default_address: str, identities: Identities) -> None:
        self._client = client
        self._default_address = default_address
        self._identities = identities

    def question(self, metric: Metric) -> Mapping[str, str]:
        return {"ResolvedPrometheusQuery": str(metric.config.get("query") or "")}

    async def run(self, task: MeasurementTask) -> Measurement:
        # Whole seconds: who asks the same in the same second asks about the same moment, and is answered together.
        task = replace(task, now=task.now.replace(microsecond=0))
        config = Fields("prometheus", task.metric.config)
        try:
            target = await self.target(config)
        except (Terminal, Transient) as error:
            return failed(task, error)
        return replace(await self._measured(task, config, target), secrets=tokens_of(target.authorization) | target.secrets)

    async def _measured(self, task: MeasurementTask, config: Fields, target: Target) -> Measurement:
        try:
            document = await self.ask(config, target, instant_or_range(config, config.text("query"), task.now))
            reading = read(document.get("data"))
            spoke = await self._fallback_spoke(config, target, task.now)
        except (Terminal, Transient, ExpressionError) as error:
            return failed(task, error)
        told = document.get("warnings")
        warnings = [str(warning) for warning in (told if isinstance(told, list) else [])]
        missing = [warning for warning in warnings if not warning.startswith(HINT)]
        skew = self._client.skew(target.address)
        metadata = {
            SERIES: str(reading.series),
            **({"warnings": ", ".join(f'"{warning}"' for warning in warnings)} if warnings else {}),
            **({FALLBACK: "true"} if spoke else {}),
            **({PARTIAL: "true"} if missing else {}),
            **({STALE: "true"} if skew is not None else {}),
        }
        found = judged(task, reading.result, reading.value, metadata)
        doubts = [*([PARTLY.format(words=missing[0])] if missing else []), *([_clock_words(skew)] if skew is not None else [])]
        if not doubts:
            return found
        said = [found.message] if found.message else []
        return replace(found, message="; ".join((*said, *(f"{origin_of(target.address)}: {doubt}" for doubt in doubts))))

    async def gained(self, task: CounterTask) -> float:
        config = Fields("prometheus", {"address": task.address, "timeout": COUNTER_TIMEOUT})
        target = await self.target(config)
        if task.secret:
            target = replace(target, authorization=await self._identities.account(task.secret, target.address))
        document = await self.ask(config, target, instant_or_range(config, gained_query(task), task.end))
        return gained_value(read(document.get("data")).result)

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the query, its range and the address."""
        fields = Fields("prometheus", config)
        try:
            if not fields.text("query").strip():
                yield required("prometheus.query", "what to ask")
            if fields.text("address"):
                _address(fields, "")
            _timeout(fields)
            instant_or_range(fields, "", EPOCH)
        except InvalidField as error:
            yield error.problem
        except Terminal as error:
            yield Problem("prometheus", str(error).removeprefix("prometheus "))

    @staticmethod
    def doubts(metric: Metric) -> Iterator[Problem]:
        yield from fallback_doubts(str(metric.config.get("query") or ""), Conditions(metric.success_condition, metric.failure_condition))

    @staticmethod
    def unparsed(config: Manifest) -> Iterator[Unparsed]:
        found = misread(str(config.get("query") or "0"))
        if found is not None:
            hint = "" if found.sure else "; other servers than Prometheus may take it"
            yield Unparsed(Problem("prometheus.query", f"is no PromQL: {found.words}{hint}"), found.sure)

    @staticmethod
    def result_like(config: Manifest) -> Value:
        understood = understand(str(config.get("query") or ""))
        if understood is None:
            return None
        return 0.5 if understood.kind is AnswerKind.SCALAR and not config.get("rangeQuery") else [0.5]

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)

    async def _fallback_spoke(self, config: Fields, target: Target, now: datetime) -> bool:
        """True when a query that ends in `or vector(N)` had no data of its own: only its fallback answered (ADR 0011)."""
        bare = without_fallback(config.text("query"))
        if not bare:
            return False
        return read((await self.ask(config, target, instant_or_range(config, bare, now))).get("data")).series == 0

    def replaying(self, until: datetime) -> "PrometheusReplay":
        """Past moments, by range queries."""
        return PrometheusReplay(self, until)

    async def target(self, config: Fields) -> Target:
        address = _address(config, self._default_address)
        sigv4 = config.under("authentication").optional("sigv4")
        if sigv4 is not None and MANAGED_SERVICE in address:
            return await self._signing(address, sigv4)
        authorization = await self._authorization(config, _timeout(config))
        own = any(header.text("key").lower() == "authorization" for header in config.each("headers"))
        if split_address(address).hostname == google.HOST and not authorization and not own:
            authorization = {"Authorization": f"Bearer {await self._identities.google.token(self._identities.now())}"}
        return Target(address, authorization)

    async def _signing(self, address: str, sigv4: Fields) -> Target:
        """Amazon Managed Prometheus: each request is signed with the daemon's own credentials, or those of a role that they may assume."""
        aws, now = self._identities.aws, self._identities.now()
        found = REGION.search(address)
        region = aws.region(sigv4.text("region") or (found[1] if found else ""))
        keys = await aws.keys(region, sigv4.text("roleArn"), now, sigv4.text("profile"))
        return Target(address, {}, lambda call: signed(call, keys, SigningScope(region, "aps"), self._identities.now()), keys.texts)

    async def ask(self, config: Fields, target: Target, question: tuple[str, dict[str, str]]) -> dict[str, Any]:
        """The decoded answer of a query that went well, by path and parameters. Raises Terminal or Transient with the reason."""
        timeout = _timeout(config)
        path, parameters = question
        headers = {**headers_of(config), **target.authorization}
        form = urlencode(parameters).encode()
        url = f"{target.address.rstrip('/')}/api/v1/{path}"
        call = HttpCall(method="POST", url=url, headers={**headers, **FORM}, body=form, timeout=timeout, limit=RESPONSE_LIMIT)
        answer = await self._client.send(target.sign(call), insecure=config.flag("insecure"), sharing=Sharing.TICK)
        if answer.status in (405, 501):
            call = HttpCall(method="GET", url=url, headers=headers, query=parameters, timeout=timeout, limit=RESPONSE_LIMIT)
            answer = await self._client.send(target.sign(call), insecure=config.flag("insecure"), sharing=Sharing.TICK)
        return _document(answer, origin_of(target.address))

    async def _authorization(self, config: Fields, timeout: float) -> dict[str, str]:
        authentication = config.under("authentication")
        oauth, plain = authentication.under("oauth2"), authentication.optional("basicAuth")
        if oauth.text("tokenUrl"):
            return {"Authorization": await bearer(self._client, oauth, insecure=config.flag("insecure"), timeout=timeout)}
        if plain is None or not (plain.text("username") or plain.text("password")):
            return {}
        if not plain.text("username") or not plain.text("password"):
            raise Terminal("prometheus: authentication.basicAuth needs both username and password")
        return {"Authorization": basic(plain.text("username"), plain.text("password"))}


def _address(config: Fields, default: str) -> str:
    address = config.text("address") or default
    if not address:
        raise Terminal("prometheus address is not configured")
    parts = split_address(address)
    if not parts.scheme or not parts.netloc:
        raise Terminal("prometheus address is not is url format")
    return address


def _clock_words(skew: timedelta) -> str:
    seconds = skew.total_seconds()
    told = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours"
    return f"its clock is {told}: what it answers is of another moment, and no evidence"


def _timeout(config: Fields) -> float:
    seconds = config.number_or("timeout", 0)
    if seconds < 0:
        raise Terminal("prometheus timeout should not be negative")
    return float(seconds or DEFAULT_TIMEOUT)


def _document(answer: HttpAnswer, server: str) -> dict[str, Any]:
    """The answer to a query that went well. What is wrong with the query is Terminal; what keeps the server from answering is Transient."""
    document = answer.document()
    refusal = Terminal if answer.status < 300 or answer.status in OF_THE_QUERY else Transient
    if not isinstance(document, dict):
        raise refusal(f"{server}: prometheus answered {answer.status} without JSON")
    if answer.status >= 300 or document.get("status") != "success":
        told = f"{document.get('errorType') or answer.status}: {document.get('error') or 'no reason given'}"
        raise refusal(told if answer.status in OF_THE_QUERY else f"{server}: {told}")
    return document
