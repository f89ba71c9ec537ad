"""Who we are at Google Cloud: the token of the pod's service account, from the metadata server (Workload Identity, or the node's account).

Shape: `GET /computeMetadata/v1/instance/service-accounts/default/token` with `Metadata-Flavor: Google` (cloud.google.com, "Authenticate
applications by the metadata server"). Its address is link-local, so `linkLocal` has to allow it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.kernel.errors import Terminal
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.web.client import HttpCall

HOST = "monitoring.googleapis.com"
SERVER, PATH = "metadata.google.internal", "/computeMetadata/v1/instance/service-accounts/default/token"
TIMEOUT, LIMIT = 10.0, 64 << 10
EARLY = timedelta(minutes=4)
"""So long before its end a token is asked for anew; the server renews it about as early."""


class Google:
    """The token of this daemon, asked for once and again before it ends."""

    def __init__(self, http: MetricsClient, variables: Mapping[str, str]) -> None:
        self._http = http
        self._server = variables.get("GCE_METADATA_HOST") or SERVER
        self._known: tuple[str, datetime] | None = None

    async def token(self, now: datetime) -> str:
        """Raises Terminal when the server has none, Transient when it gives no answer."""
        if self._known is not None and now < self._known[1] - EARLY:
            return self._known[0]
        call = HttpCall(
            method="GET", url=f"http://{self._server}{PATH}", headers={"Metadata-Flavor": "Google"}, timeout=TIMEOUT, limit=LIMIT
        )
        answer = await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT)
        document: Any = answer.document()
        found = document.get("access_token") if answer.status == 200 and isinstance(document, dict) else None
        if not isinstance(found, str) or not found or not found.isascii() or not found.isprintable():
            raise Terminal(f"google: the metadata server answered {answer.status} without a token")
        lasts = document.get("expires_in")
        self._known = (found, now + timedelta(seconds=lasts if isinstance(lasts, int) else 0))
        return found
