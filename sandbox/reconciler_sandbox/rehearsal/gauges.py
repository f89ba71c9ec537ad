"""The metrics APIs of a stage, answering what its stories say."""

from datetime import UTC, datetime

from reconciler.kernel.errors import Terminal
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.metrics.aggregated import AggregatedMetrics
from reconciler_sandbox.metrics.readings import Readings, Subject
from reconciler_sandbox.rehearsal.story import MetricsChange, ObjectName


class Gauges:
    """What metrics read on one API server; without one (the cluster is somebody else's) nothing can be said."""

    def __init__(self, server: ApiServer | None) -> None:
        self._server = server
        self._readings = Readings()

    def say(self, change: MetricsChange) -> None:
        """From now on metrics read this, too; what was said of others stays. Raises Terminal where nothing can be said."""
        if not change.of and not change.external:
            return
        if self._server is None:
            raise Terminal("the metrics of this cluster are not ours to say")
        for target, amounts in change.of.items():
            self._readings.say(subject_of(target), amounts)
        self._readings.external.update(change.external)
        answers = AggregatedMetrics(ApiClient(self._server.call), self._readings, lambda: datetime.now(UTC))
        for group, kinds in answers.kinds().items():
            self._server.aggregation.serve(group, kinds, answers.call)


def subject_of(target: ObjectName) -> Subject:
    """An object of a story as the sandbox knows it."""
    resource = target.resource
    return Subject(resource.api_version, resource.plural, resource.kind, target.namespace, target.name)
