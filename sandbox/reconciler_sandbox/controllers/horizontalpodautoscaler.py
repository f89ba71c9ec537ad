"""Scales what a HorizontalPodAutoscaler names, through its scale subresource alone.

Every look reads the scale, its pods and the metrics APIs; what to do is decided in `autoscaling`. What is remembered between looks
(recommendations and changes, for windows and policies) is kept here and lost with the process, as in a real controller.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.autoscaling import (
    Condition,
    Decision,
    Warned,
    beyond,
    bounds_of,
    conditions_of,
    decide,
    status_of,
    without_selector,
)
from reconciler_sandbox.controllers.events import Recorder, Subject
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.metricreading import Reading
from reconciler_sandbox.controllers.metricsource import MetricSource
from reconciler_sandbox.controllers.objects import Key, Manifest, collection, everywhere, key_of, now, one, timestamp
from reconciler_sandbox.controllers.recommendation import Settings, View
from reconciler_sandbox.controllers.scales import NoScale, Scales
from reconciler_sandbox.controllers.stabilization import Memory, scaled

AUTOSCALERS = "autoscaling/v2/horizontalpodautoscalers"
PODS = "v1/pods"


class HorizontalPodAutoscalerController:
    """Looks at each autoscaler once a period, however often something changes."""

    name = "horizontal-pod-autoscaler"

    def __init__(self, client: ApiClient, settings: Settings | None = None, *, now: Callable[[], datetime] = now) -> None:
        self._client = client
        self._settings = settings or Settings()
        self._now = now
        self._events = Recorder(client, self.name)
        self._scales = Scales(client)
        self._metrics = MetricSource(client)
        self._memories: dict[Key, Memory] = {}
        self._looked: dict[Key, datetime] = {}

    def triggers(self) -> Sequence[Trigger]:
        """Autoscalers."""
        return (Trigger(everywhere(AUTOSCALERS), lambda _, manifest: (key_of(manifest),)),)

    async def reconcile(self, key: Key) -> float | None:
        """Look, decide, scale, tell; the next look is a period later."""
        autoscaler = await self._client.get(one(AUTOSCALERS, key))
        if autoscaler is None:
            self._memories.pop(key, None)
            self._looked.pop(key, None)
            return None
        wait = self._until_due(key)
        if wait > 0:
            return wait
        self._looked[key] = self._now()
        await self._look(key, autoscaler)
        return self._settings.period

    def _until_due(self, key: Key) -> float:
        looked = self._looked.get(key)
        return 0.0 if looked is None else (looked + timedelta(seconds=self._settings.period) - self._now()).total_seconds()

    async def _look(self, key: Key, autoscaler: Manifest) -> None:
        try:
            path, scale = await self._scales.read(autoscaler["spec"]["scaleTargetRef"], key.namespace)
        except NoScale as error:
            await self._tell_no_scale(key, autoscaler, str(error))
            return
        view, decision = await self._decided(key, autoscaler, scale)
        self._memories[key] = decision.memory
        for warning in decision.warnings:
            await self._events.warning(_subject(autoscaler), warning.reason, warning.message)
        done = await self._scaled(key, autoscaler, (path, scale), decision) if decision.replicas is not None else decision
        rescaled = done.replicas is not None
        await self._write(key, autoscaler, status_of(autoscaler, done, view, rescaled=rescaled))

    async def _decided(self, key: Key, autoscaler: Manifest, scale: Manifest) -> tuple[View, Decision]:
        asked = int(scale.get("spec", {}).get("replicas", 0))
        selector = (scale.get("status") or {}).get("selector", "")
        memory = self._memories.get(key, Memory())
        needed = beyond(bounds_of(autoscaler, asked, self._settings.downscale_window)) is None
        pods = await self._client.list(collection(PODS, key.namespace), labelSelector=selector) if needed and selector else []
        view = View(key.namespace, pods, asked, int((scale.get("status") or {}).get("replicas", 0)), self._now(), self._settings)
        if needed and not selector:
            return view, without_selector(view, memory)
        readings = await self._readings(autoscaler, selector) if needed else []
        return view, decide(autoscaler, readings, view, memory)

    async def _readings(self, autoscaler: Manifest, selector: str) -> list[Reading]:
        namespace = autoscaler["metadata"]["namespace"]
        return [await self._metrics.read(metric, namespace, selector) for metric in autoscaler["spec"]["metrics"]]

    async def _scaled(self, key: Key, autoscaler: Manifest, scaling: tuple[str, Manifest], decision: Decision) -> Decision:
        """The decision as it was carried out: with one more condition, and without replicas if they were refused."""
        path, scale = scaling
        replicas = decision.replicas or 0
        before = int(scale.get("spec", {}).get("replicas", 0))
        try:
            await self._scales.write(path, scale, replicas)
        except ApiError as error:
            message = f"New size: {replicas}; reason: {decision.reason}; error: {error.message}"
            await self._events.warning(_subject(autoscaler), "FailedRescale", message)
            told = f"the HPA controller was unable to update the target scale: {error.message}"
            return Decision(decision.memory, (*decision.conditions, Condition("AbleToScale", False, "FailedUpdateScale", told)))
        told = f"the HPA controller was able to update the target scale to {replicas}"
        await self._events.normal(_subject(autoscaler), "SuccessfulRescale", f"New size: {replicas}; reason: {decision.reason}")
        behavior = autoscaler["spec"].get("behavior") or {}
        self._memories[key] = scaled(decision.memory, behavior, before, replicas, self._now())
        conditions = (*decision.conditions, Condition("AbleToScale", True, "SucceededRescale", told))
        return Decision(decision.memory, conditions, replicas, decision.reason, decision.metrics)

    async def _tell_no_scale(self, key: Key, autoscaler: Manifest, words: str) -> None:
        warning = Warned("FailedGetScale", words)
        await self._events.warning(_subject(autoscaler), warning.reason, warning.message)
        told = f"the HPA controller was unable to get the target's current scale: {words}"
        conditions = conditions_of(autoscaler, (Condition("AbleToScale", False, warning.reason, told),), timestamp(self._now()))
        await self._write(key, autoscaler, {"conditions": conditions})

    async def _write(self, key: Key, autoscaler: Manifest, status: Manifest) -> None:
        written = autoscaler.get("status") or {}
        if any(written.get(name) != value for name, value in status.items()):
            await self._client.patch(f"{one(AUTOSCALERS, key)}/status", {"status": status})


def _subject(autoscaler: Manifest) -> Subject:
    return Subject("autoscaling/v2", "HorizontalPodAutoscaler", autoscaler)
