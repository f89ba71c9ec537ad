"""The experiment of a canary step: made when the step is reached, read for its end, told to end when it no longer counts (contract 8.5)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.analysis.arguments import Unresolved, literals
from reconciler.analysis.cleanup import runs_to_delete
from reconciler.analysis.model import RunPhase
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Create, Patch, Remove
from reconciler.kernel.resources import EXPERIMENTS
from reconciler.kernel.well_known import HASH_LABEL, INSTANCE_ID, REVISION
from reconciler.rollouts.passes import Pass, reference
from reconciler.rollouts.pause import resumed
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.position import current_step, index_of, run_phase
from reconciler.rollouts.replicas.template import owner_reference
from reconciler.rollouts.rollback import fast_rollback
from reconciler.rollouts.spec.model import ExperimentStep, StepTemplate
from reconciler.rollouts.status.conditions import INVALID_SPEC
from reconciler.rollouts.status.model import PauseReason

FAILURE = "Experiment analysis phase is error/failed"
FAILED = (RunPhase.FAILED, RunPhase.ERROR)
COPIED = ("duration", "dryRun", "analysisRunMetadata", "scaleDownDelaySeconds")
CANARY, STABLE = "canary", "stable"


def recall_experiment(pass_: Pass) -> Pass:
    """The experiment on record, if it is that of the step the canary stands on."""
    name = pass_.before.canary.experiment
    if not name or not _is_of_step(pass_, name):
        return pass_
    return replace(pass_, experiment=next((each for each in pass_.facts.found.experiments if name_of(each) == name), None))


def run_experiments(pass_: Pass) -> Pass:
    """Make, judge and end. Where nothing is to be tried out every experiment is told to end."""
    step = current_step(pass_)
    if pass_.aborted or pass_.before.promote_full or fast_rollback(pass_) or step is None or step.experiment is None:
        return _swept(_ended(pass_ if pass_.experiment is None else replace(pass_, experiment=None)))
    if pass_.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return pass_
    pass_ = _current(pass_, step.experiment)
    return _swept(_ended(_judged(pass_)))


def _is_of_step(pass_: Pass, name: str) -> bool:
    """True of the name that this step's experiment has, also of one that made way for others."""
    wanted = _name(pass_)
    return name == wanted or (name.startswith(f"{wanted}-") and name.removeprefix(f"{wanted}-").isdigit())


def _name(pass_: Pass) -> str:
    return f"{pass_.facts.name}-{pass_.facts.new_hash}-{pass_.facts.revision}-{index_of(pass_)}"


def _current(pass_: Pass, step: ExperimentStep) -> Pass:
    """The one on record, or a new one: also after an inconclusive one, when a person resumed (contract 4.4, 13.62)."""
    asked_again = run_phase(pass_.experiment) == RunPhase.INCONCLUSIVE and resumed(pass_)
    if pass_.experiment is not None and not asked_again:
        return pass_
    new, stable = pass_.facts.new, pass_.facts.stable
    if new is None or stable is None:
        return pass_
    experiment = _placed(_wanted(pass_, step, {CANARY: new, STABLE: stable}), pass_)
    pass_ = replace(pass_, experiment=experiment)
    if uid_of(experiment):
        return pass_
    return pass_.act(Create(EXPERIMENTS, experiment)).tell("ExperimentCreated", f"Created Experiment '{name_of(experiment)}'")


def _placed(wanted: Manifest, pass_: Pass) -> Manifest:
    """The wanted experiment under the first name that is free, or the one there that a pass made before this one and never wrote down."""
    found = pass_.facts.found
    taken = {name_of(other): other for other in (*found.experiments, *found.other_experiments)}
    first = name = name_of(wanted)
    collisions = 0
    while name in taken:
        if _is_reusable(taken[name], wanted):
            return taken[name]
        collisions += 1
        name = f"{first}-{collisions}"
    return {**wanted, "metadata": {**wanted["metadata"], "name": name}}


def _is_reusable(existing: Manifest, wanted: Manifest) -> bool:
    """Same owner, unfinished, not told to end, trying out the same. One that is told to end would succeed without having tried anything."""
    if controller_uid(existing) != controller_uid(wanted) or _over(existing) or _told_to_end(existing):
        return False
    return bool(_meaning(existing.get("spec") or {}) == _meaning(wanted["spec"]))


def _meaning(value: Any) -> Any:
    """What is compared: absent, null and empty are one, as Go writes some empty members and leaves out others."""
    if isinstance(value, dict):
        members = {key: _meaning(member) for key, member in value.items() if key != "terminate"}
        return {key: member for key, member in members.items() if member not in (None, "", {}, [])}
    return [_meaning(item) for item in value] if isinstance(value, list) else value


def _wanted(pass_: Pass, step: ExperimentStep, versions: Mapping[str, ReplicaSet]) -> Manifest:
    """The experiment of this step. Raises Transient when an argument has no value."""
    rollout, instance = pass_.facts.rollout, pass_.facts.instance_id
    labels = {**labels_of(rollout), HASH_LABEL: pass_.facts.new_hash, **({INSTANCE_ID: instance} if instance else {})}
    deadline = (rollout.get("spec") or {}).get("progressDeadlineSeconds")
    spec = {key: step.manifest[key] for key in COPIED if step.manifest.get(key) is not None}
    spec |= {} if deadline is None else {"progressDeadlineSeconds": deadline}
    spec["templates"] = [_template(template, versions[template.reference]) for template in step.templates]
    if step.analyses:
        spec["analyses"] = [_analysis(pass_, analysis, versions) for analysis in step.analyses]
    return {
        "apiVersion": EXPERIMENTS.api_version,
        "kind": EXPERIMENTS.kind,
        "metadata": {
            "name": _name(pass_),
            "namespace": namespace_of(rollout),
            "labels": labels,
            "annotations": {REVISION: str(pass_.facts.revision)},
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": spec,
    }


def _template(template: StepTemplate, version: ReplicaSet) -> Manifest:
    """The pods of a version as they are, with the step's labels and annotations; a weight needs a Service."""
    spec = version.manifest["spec"]
    pod = spec.get("template") or {}
    metadata = pod.get("metadata") or {}
    selector = dict(spec.get("selector") or {}) if template.selector is None else template.selector
    dressed = {
        **metadata,
        "labels": {**(metadata.get("labels") or {}), **template.labels},
        "annotations": {**(metadata.get("annotations") or {}), **template.annotations},
    }
    whole: Manifest = {
        "name": template.name,
        "replicas": template.replicas,
        "minReadySeconds": spec.get("minReadySeconds"),
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **template.labels}},
        "template": {**pod, "metadata": {key: value for key, value in dressed.items() if value}},
    }
    if template.weight is not None or template.service is not None:
        whole["service"] = {"name": template.service} if template.service else {}
    return {key: value for key, value in whole.items() if value is not None}


def _analysis(pass_: Pass, analysis: Manifest, versions: Mapping[str, ReplicaSet]) -> Manifest:
    """One analysis whose arguments are literals of this Rollout (contract 6.2, stage A)."""
    hashes = {"Latest": versions[CANARY].hash, "Stable": versions[STABLE].hash}
    try:
        arguments = literals(analysis.get("args") or [], pass_.facts.rollout, hashes)
    except Unresolved as error:
        raise Transient(f"{pass_.facts.name}: experiment not created: analysis '{analysis.get('name', '')}': {error}") from error
    rest = {key: value for key, value in analysis.items() if key != "args"}
    return {**rest, "args": arguments} if arguments else rest


def _judged(pass_: Pass) -> Pass:
    """What the current experiment says: go on, pause, or come home. It stays on record while it may count (contract 13.62, 13.63)."""
    phase, invalid = run_phase(pass_.experiment), _invalid(pass_.experiment)
    if invalid and not phase:
        return replace(pass_.abort(f"{FAILURE}: {invalid}"), experiment=None)
    if phase == RunPhase.INCONCLUSIVE:
        known = pass_.before.pause(PauseReason.INCONCLUSIVE_EXPERIMENT) is not None
        return pass_ if known else pass_.pause(PauseReason.INCONCLUSIVE_EXPERIMENT)
    if phase not in FAILED or pass_.experiment is None:
        return pass_
    message = str(pass_.experiment["status"].get("message") or "")
    return replace(pass_.abort(f"{FAILURE}: {message}" if message else FAILURE), experiment=None)


def _invalid(experiment: Manifest | None) -> str:
    """Why its controller does not carry it out: one that never begins would hold the canary for ever."""
    conditions = ((experiment or {}).get("status") or {}).get("conditions") or []
    found = (c for c in conditions if isinstance(c, dict) and c.get("type") == INVALID_SPEC and c.get("status") == "True")
    return next((str(condition.get("message") or INVALID_SPEC) for condition in found), "")


def _ended(pass_: Pass) -> Pass:
    """`spec.terminate` for every other one that goes on and was not told yet."""
    for experiment in _others(pass_):
        if _over(experiment) or _told_to_end(experiment):
            continue
        ref = ObjectRef(EXPERIMENTS, namespace_of(experiment), name_of(experiment))
        pass_ = pass_.act(Patch(ref, {"spec": {"terminate": True}}))
    return pass_


def _swept(pass_: Pass) -> Pass:
    """Those of forgotten versions and finished ones beyond the limits removed (contract 6.10)."""
    spec = pass_.facts.spec
    if not pass_.facts.found.experiments:
        return pass_
    gone = runs_to_delete(
        _others(pass_),
        {replica_set.hash for replica_set in pass_.facts.replica_sets if not replica_set.deleting},
        current=frozenset({pass_.before.canary.experiment}),
        successful=spec.successful_runs,
        unsuccessful=spec.unsuccessful_runs,
    )
    return pass_.act(*(Remove(reference(EXPERIMENTS, experiment), uid_of(experiment)) for experiment in gone))


def _others(pass_: Pass) -> Iterable[Manifest]:
    current = name_of(pass_.experiment) if pass_.experiment is not None else ""
    return [each for each in pass_.facts.found.experiments if name_of(each) != current]


def _over(experiment: Manifest) -> bool:
    return run_phase(experiment) in [phase for phase in RunPhase if phase.completed]


def _told_to_end(experiment: Manifest) -> bool:
    return bool((experiment.get("spec") or {}).get("terminate"))
