"""What is wrong with a Rollout: the controller's own rules (contract 12), with references looked up among the files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from reconciler.analysis.templates import InvalidTemplates, referenced, validate_references
from reconciler.app.lint.course import course_remarks
from reconciler.app.lint.experiments import step_remarks
from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.app.lint.library import CLUSTER_TEMPLATES, TEMPLATES, Library
from reconciler.app.lint.meetings import meeting_remarks
from reconciler.app.router_plugins import installed
from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.kernel.problem import InvalidField, Problem
from reconciler.rollouts.pods.referent import borrowed, referent_of
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.spec.model import RolloutSpec, WorkloadRef
from reconciler.rollouts.traffic.leading import beyond
from reconciler.rollouts.traffic.named import routing_of, services_of
from reconciler.rollouts.traffic.router import PLUGINS, ConfiguredRouter, Live, Routers, Services, served
from reconciler.rollouts.validation.canary import ROUTING, UNMANAGED
from reconciler.rollouts.validation.references import analyses, missing_services, service_fields, unfit_services
from reconciler.rollouts.validation.spec import spec_problems
from reconciler.rollouts.validation.types import unreadable_problem
from reconciler.routers.plugins import absent
from reconciler.sources.kinds import kind_key
from reconciler.stepplugins.registry import found

HINTS: Mapping[str, str] = {
    UNMANAGED: "add its name to trafficRouting.managedRoutes, in the order in which routes win",
    "SetCanaryScale requires TrafficRouting": "name a router in trafficRouting, or leave the size to setWeight",
    "can only be used with traffic routing": "name a router in trafficRouting, or take the field away",
    "cannot be used with scaleDownDelaySeconds": "take one of the two away",
    "MaxSurge and MaxUnavailable both can not be zero": "write maxSurge: 1, or maxUnavailable: 1",
    "`selector` does not match template `labels`": "copy spec.selector.matchLabels into the labels of the template",
    "has unmatch label": "give the pods this label, or take it out of the Service's selector",
    "must be greater than minReadySeconds": "raise progressDeadlineSeconds above minReadySeconds",
    "Duration needs to be greater than 0": "write seconds, or a duration like 30s, 10m or 1h30m",
    "two different services are required": "write a second Service with the same selector",
    "Multiple Strategies": "keep one of canary and blueGreen",
}
"""What to do about what the controller refuses, where its own words do not say."""
STAND_IN = {"lint": "stand-in"}
"""Labels of a template that is not among the files, so that the rules about everything else can still be asked."""


def rollout_remarks(manifest: Manifest, library: Library) -> Remarks:
    """Every broken rule of one Rollout."""
    try:
        spec = parse_rollout(manifest)
    except InvalidField as error:
        yield _remark(error.problem)
        return
    referent = _referent(spec.workload_ref, manifest, library)
    if isinstance(referent, Remark):
        yield referent
    unreadable = _unreadable(borrowed(spec, referent) if isinstance(referent, dict) else spec)
    if unreadable is not None:
        yield _remark(unreadable)
        return
    yield from _own_rules(manifest, spec, referent if isinstance(referent, dict) else None)
    whole = borrowed(spec, referent) if isinstance(referent, dict) else spec
    yield from _services(manifest, whole, library, known=not isinstance(referent, Remark))
    yield from _analyses(manifest, whole, library)
    yield from step_remarks(manifest, whole, library)
    yield from _plugins(whole)
    yield from course_remarks(whole, library.templates(namespace_of(manifest)), unattended=library.unattended)
    yield from _routes(manifest, library)
    yield from meeting_remarks(manifest, library)


def _plugins(spec: RolloutSpec) -> Remarks:
    """Plug-ins of steps that are not installed here; where the daemon runs there may be others."""
    here = {plugin.name: plugin.reason for plugin in found()}
    for index, step in enumerate(spec.steps):
        if step.plugin is None or not step.plugin.name:
            continue
        field = f"spec.strategy.canary.steps[{index}].plugin"
        if step.plugin.name not in here:
            told = f"plug-in {step.plugin.name} is not installed here; where the daemon runs it has to be, or the step is never done"
            yield Remark(field, told, Severity.NOTE)
        elif here[step.plugin.name]:
            yield Remark(field, f"plug-in {step.plugin.name} {here[step.plugin.name]}")


def _referent(reference: WorkloadRef | None, rollout: Manifest, library: Library) -> Manifest | Remark | None:
    """The object a template is borrowed from, or what to say when it cannot be had; None without a workloadRef."""
    if reference is None:
        return None
    if referent_of(reference) is None:
        return Remark("spec.workloadRef", f"a {reference.kind} of {reference.api_version} cannot lend its pod template: use a Deployment")
    place = (reference.kind, namespace_of(rollout), reference.name)
    return library.find(*place) or library.missing("spec.workloadRef.name", place, namespace_of(rollout))


def _unreadable(spec: RolloutSpec) -> Problem | None:
    """Why no rule can be asked about the pods; of what is not among the files nothing is known."""
    return unreadable_problem(spec.selector, spec.template)


def _own_rules(rollout: Manifest, spec: RolloutSpec, referent: Manifest | None) -> Remarks:
    if spec.workload_ref is not None:
        spec = borrowed(spec, referent) if referent else _with_stand_in(spec)
    yield from (_remark(problem) for problem in spec_problems(rollout, spec, {**_absent_plugins(spec), **installed()}))
    for name in sorted(_absent_plugins(spec).keys() - installed().keys()):
        message = f"router plug-in {name.removeprefix(f'{PLUGINS}.')} is not installed here: its configuration is not checked"
        yield Remark(f"{ROUTING}.{name}", message, Severity.NOTE)


def _absent_plugins(spec: RolloutSpec) -> Routers:
    """A stand-in for each router plug-in that a Rollout names: the daemon may have it, though this machine has not."""
    named = spec.canary.routing.routers if spec.canary is not None and spec.canary.routing is not None else ()
    return {name: absent(name) for name in named if name.startswith(f"{PLUGINS}.")}


def _with_stand_in(spec: RolloutSpec) -> RolloutSpec:
    pod = {"metadata": {"labels": STAND_IN}, "spec": {"containers": [{"name": "stand-in", "image": "stand-in"}]}}
    return replace(spec, template=pod, selector={"matchLabels": STAND_IN})


def _services(rollout: Manifest, spec: RolloutSpec, library: Library, *, known: bool) -> Remarks:
    """Services that are not there; of those that are, whether they select the pods (when the pods' labels are `known`)."""
    namespace = namespace_of(rollout)
    found: dict[str, Manifest] = {}
    absent: set[str] = set()
    for field, name in service_fields(spec):
        service = library.find("Service", namespace, name)
        if service is None:
            yield library.missing(field, ("Service", namespace, name), namespace)
            absent.add(field)
        elif ("Service", namespace, name) in library.misshapen:
            absent.add(field)
        else:
            found[name] = service
    if known:
        problems = chain(missing_services(spec, found), unfit_services(name_of(rollout), spec, found))
        yield from (_remark(problem) for problem in problems if problem.field not in absent)


def _analyses(rollout: Manifest, spec: RolloutSpec, library: Library) -> Remarks:
    for asked in analyses(spec):
        yield from analysis_remarks(asked.field, str(asked.kind), asked.analysis.manifest, rollout, library)


def analysis_remarks(field: str, kind: str, analysis: Manifest, rollout: Manifest, library: Library) -> Remarks:
    """The templates and arguments of one analysis of a Rollout; `kind` is a RunKind, `field` where the analysis stands."""
    namespace = namespace_of(rollout)
    absent = tuple(missing_templates(field, analysis, namespace, library))
    yield from absent
    if absent:
        return
    templates = library.templates(namespace)
    try:
        named = referenced(templates, analysis)
    except InvalidTemplates:
        return  # a template that a template names: told where that one is looked at
    error = validate_references(rollout=rollout, kind=kind, analysis=analysis, templates=templates)
    if error is not None:
        yield Remark(field, error)
    yield from _dropped(field, analysis, named)


def missing_templates(field: str, owner: Manifest, namespace: str, library: Library) -> Remarks:
    """The templates that an analysis or a template names and that are not among the files."""
    for index, reference in enumerate(owner.get("templates") or ()):
        cluster, name = bool(reference.get("clusterScope")), str(reference.get("templateName") or "")
        place = (CLUSTER_TEMPLATES, "", name) if cluster else (TEMPLATES, namespace, name)
        if library.find(*place) is None:
            yield library.missing(f"{field}.templates[{index}].templateName", place, namespace)


def _dropped(field: str, analysis: Manifest, templates: Sequence[Manifest]) -> Remarks:
    """Arguments that no metric asks for are dropped without a word (contract 6.2): usually a typing mistake."""
    declared = {argument.get("name") for template in templates for argument in (template.get("spec") or {}).get("args") or ()}
    for index, argument in enumerate(analysis.get("args") or ()):
        if argument.get("name") not in declared:
            message = f"argument {argument.get('name')} is declared by none of the templates: it is dropped"
            yield Remark(f"{field}.args[{index}]", message, Severity.NOTE)


def _routes(rollout: Manifest, library: Library) -> Remarks:
    """What each router says about the objects that the Rollout names; routers that are not served the spec's own rules name."""
    for each in served(installed(), routing_of(rollout)):
        yield from _routed(each, services_of(rollout), library)


def _routed(each: ConfiguredRouter, services: Services, library: Library) -> Remarks:
    needed = each.router.needs(each.config, services)
    live: Live = {ref: library.find(*_place(ref)) for ref in needed.refs}
    behind = beyond(each.router, live)
    live = {**live, **{ref: library.find(*_place(ref)) for ref in behind}}
    if any(_place(ref) in library.misshapen for ref in live):
        return
    for ref in needed.made:
        if live[ref] is not None:
            yield Remark(each.field, f"{ref} is made by this Rollout and among the files: take it out of them")
    absent = [ref for ref in (*needed.named, *behind) if live[ref] is None]
    for ref in absent:
        yield library.missing(each.field, _place(ref), services.namespace)
    found = each.router.in_force(each.config, services, live)
    if found.problem is not None and not absent:
        yield Remark(each.field, found.problem)
    yield from (Remark(each.field, warning, Severity.NOTE) for warning in found.warnings)


def _place(ref: ObjectRef) -> tuple[str, str, str]:
    """Where an object is among the files: another group's kind of a name that we know goes by both."""
    return kind_key({"apiVersion": ref.resource.api_version, "kind": ref.resource.kind}), ref.namespace, ref.name


def _remark(problem: Problem) -> Remark:
    return Remark(problem.field, problem.detail, suggestion=next((hint for words, hint in HINTS.items() if words in problem.detail), ""))
