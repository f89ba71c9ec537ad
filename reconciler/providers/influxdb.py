"""InfluxDB: one Flux query a measurement (contract 7.9).

Shape: docs.influxdata.com, "POST /api/v2/query", answered in annotated CSV.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import StringIO
from typing import Any, ClassVar
from urllib.parse import urlencode

from reconciler.analysis.model import Measurement
from reconciler.analysis.provider import MeasurementTask
from reconciler.expr.text import plain
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.kube.client import Client
from reconciler.providers.accounts import needed, texts_of
from reconciler.providers.answers import failed, judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.web.client import HttpAnswer, HttpCall

SECRET = "influxdb"
TIMEOUT = 30.0
RESPONSE_LIMIT = 8 << 20
SHOWN = 500
NO_RESULTS = "no results returned from flux query"
UNREADABLE = "influxdb answered without annotated CSV"
DIALECT = {"annotations": ["datatype", "group", "default"], "delimiter": ",", "header": True}
TYPES: Mapping[str, Callable[[str], Any]] = {"double": float, "long": int, "unsignedLong": int, "boolean": lambda text: text == "true"}


class InfluxDB:
    """Asks with the token of a profile, which is a Secret in the daemon's namespace."""

    shapes: ClassVar[Shapes] = {"influxdb": "profile:text query:text"}

    def __init__(self, http: MetricsClient, client: Client, namespace: str) -> None:
        self._http = http
        self._client = client
        self._namespace = namespace

    async def run(self, task: MeasurementTask) -> Measurement:
        config = Fields("influxdb", task.metric.config)
        try:
            profile = config.text("profile") or SECRET
            where = f"secret {self._namespace}/{profile}"
            account = await texts_of(self._client, self._namespace, profile)
            token = needed(account, "authToken", where)
            call = call_of(config.text("query"), account, where)
        except Terminal as error:
            return failed(task, error)
        return replace(await self._measured(task, call), secrets=frozenset((token,)))

    async def _measured(self, task: MeasurementTask, call: HttpCall) -> Measurement:
        try:
            values = read(await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT))
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, values, f"[{' '.join(map(plain, values))}]", {})

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the query."""
        try:
            if not Fields("influxdb", config).text("query").strip():
                yield required("influxdb.query", "what to ask, in Flux")
        except InvalidField as error:
            yield error.problem


def call_of(query: str, account: Mapping[str, str], where: str) -> HttpCall:
    """The request for one measurement. Raises Terminal."""
    address, organization = needed(account, "address", where).rstrip("/"), needed(account, "org", where)
    headers = {"Authorization": f"Token {account['authToken']}", "Accept": "application/csv", "Content-Type": "application/json"}
    body = json.dumps({"query": query, "type": "flux", "dialect": DIALECT}).encode()
    url = f"{address}/api/v2/query?{urlencode({'org': organization})}"
    return HttpCall(method="POST", url=url, headers=headers, body=body, timeout=TIMEOUT, limit=RESPONSE_LIMIT)


def read(answer: HttpAnswer) -> list[Any]:
    """The `_value` of every record of every table, by its type. Raises Terminal."""
    text = answer.body.decode(errors="replace")
    if answer.status >= 300:
        document = answer.document()
        told = document.get("message") if isinstance(document, dict) else text.strip()
        raise Terminal(f"influxdb answered {answer.status}: {str(told)[:SHOWN]}")
    try:
        values = list(_values(csv.reader(StringIO(text))))
    except (csv.Error, IndexError, ValueError) as error:
        raise Terminal(UNREADABLE) from error
    if not values:
        raise Terminal(NO_RESULTS)
    return values


def _values(rows: Iterator[list[str]]) -> Iterator[Any]:
    """Each table has rows of annotations, one of names and its records; an empty row ends it."""
    types: list[str] = []
    names: list[str] = []
    for row in rows:
        if not row or not any(row):
            types, names = [], []
        elif row[0] == "#datatype":
            types, names = row, []
        elif row[0].startswith("#"):
            continue
        elif not names:
            names = row
            if "error" in names:
                raise Terminal(f"influxdb: {next(rows, ['', 'no reason given'])[names.index('error')][:SHOWN]}")
        elif "_value" in names:
            place = names.index("_value")
            yield TYPES.get(types[place], str)(row[place]) if row[place] else None
