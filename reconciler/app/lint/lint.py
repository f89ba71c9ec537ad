"""Looks at a set of files: syntax, schema and references of every object that decides about releases, and of settings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from reconciler.app.lint.attached import attached_remarks, ingress_remarks
from reconciler.app.lint.companion import accompanies, idle_source_remarks
from reconciler.app.lint.config import config_remarks
from reconciler.app.lint.experiments import experiment_remarks
from reconciler.app.lint.finding import Finding, Remark, Remarks, Severity
from reconciler.app.lint.library import Library
from reconciler.app.lint.lines import place_of
from reconciler.app.lint.network import service_remarks, virtual_service_remarks
from reconciler.app.lint.policies import policy_remarks
from reconciler.app.lint.rollouts import rollout_remarks
from reconciler.app.lint.shapes import ROWS, misshapen
from reconciler.app.lint.templates import template_remarks
from reconciler.app.settings.manifest import parse_settings
from reconciler.app.settings.model import Settings
from reconciler.git.objects import Snapshot, SourceProblem
from reconciler.kernel import resources
from reconciler.kernel.identity import Manifest, Resource, namespace_of
from reconciler.kernel.strict import FieldError
from reconciler.renderers.plain import rendered
from reconciler.routers.gateway_api import NAMED
from reconciler.sources.documents import Located, Parsed, joined, node_of
from reconciler.sources.kinds import is_namespaced
from reconciler.sources.permission import misnamed, no_namespace
from reconciler.sources.references import Named
from reconciler.sources.renderer import RenderOptions
from reconciler.yamledit.nodes import Node, NotYaml, compose, decode
from reconciler.yamledit.values import value_of

Rule = Callable[[Manifest, Library], Remarks]


def _mistyped(kind: str, group: str) -> bool:
    """True when an unknown kind is a mistyped one of ours. Argo has other kinds in the same group, which are not ours to judge."""
    ours = [known for (home, known) in KNOWN if home == group]
    return group == "reconciler.dev" or bool(get_close_matches(kind, ours, cutoff=0.85))


RULES: Mapping[str, Rule] = {
    "Rollout.argoproj.io": rollout_remarks,
    "AnalysisTemplate.argoproj.io": template_remarks,
    "ClusterAnalysisTemplate.argoproj.io": template_remarks,
    "Experiment.argoproj.io": experiment_remarks,
    "ReleasePolicy.reconciler.dev": policy_remarks,
    "ClusterReleasePolicy.reconciler.dev": policy_remarks,
    "ConfigMap.": config_remarks,
    "Secret.": config_remarks,
    "Service.": service_remarks,
    "VirtualService.networking.istio.io": virtual_service_remarks,
    "Ingress.networking.k8s.io": ingress_remarks,
    **{f"{kind.kind}.{kind.group}": attached_remarks for kind in NAMED.values()},
}
OWN_GROUPS = ("argoproj.io", "reconciler.dev")
KNOWN = {(r.group, r.kind): r for r in vars(resources).values() if isinstance(r, Resource)}
SERVED_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PLAIN = RenderOptions()
SETTINGS = {"sources", "listen", "controllers", "workdir"}
"""A document without a kind that has one of these is a reconciler.yaml."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what was found, in the order of files and lines."""

    files: int
    objects: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """How files are looked at: as a folder, which should hold what its objects refer to; as what a pipeline releases without a person."""

    options: RenderOptions = PLAIN
    whole: bool = False
    unattended: bool = False


def lint(contents: Mapping[str, bytes], options: RenderOptions = PLAIN, *, whole: bool = False, unattended: bool = False) -> Report:
    """Everything wrong with these files."""
    return lint_snapshot(Snapshot("", "", contents), Lens(options=options, whole=whole, unattended=unattended))


def lint_snapshot(snapshot: Snapshot, lens: Lens, made: Sequence[Parsed] = ()) -> Report:
    """The same, with what is already known of files that are not read, and with what folders were rendered to."""
    contents = snapshot.files
    settings = {name: root for name, content in contents.items() if (root := _settings_root(content)) is not None}
    rest = {name: content for name, content in contents.items() if name not in settings}
    parsed = joined(rendered(replace(snapshot, files=rest), None, lens.options), *made)
    understood = [_settings(name, root) for name, root in settings.items()]
    accompanied = accompanies(one for one, _ in understood if one is not None)
    library = Library(parsed, lens.whole, accompanied, lens.unattended, frozenset(_misshapen(parsed)))
    found = [_unusable(problem) for problem in (*parsed.problems, *parsed.notes)]
    found += [finding for _, findings in understood for finding in findings]
    found += [finding for located in (*parsed.manifests, *parsed.hooks) for finding in _object(parsed, located, library)]
    found += _homeless(parsed, library)
    ordered = sorted(dict.fromkeys(found), key=lambda finding: (finding.file, finding.line, finding.field))
    return Report(len(contents) + sum(len(one.inputs) for one in made), len(parsed.manifests), tuple(ordered))


def _misshapen(parsed: Parsed) -> Iterator[Named]:
    for located in parsed.manifests:
        kind = located.key[0]
        if kind in ROWS and any(remark.severity is Severity.ERROR for remark in misshapen(kind, located.manifest)):
            yield located.key


def _unusable(problem: SourceProblem) -> Finding:
    """A file that another tool has to render is no fault of the file: it is only not looked at."""
    severity = Severity.NOTE if problem.note or problem.tool else Severity.ERROR
    return Finding(severity, problem.file, problem.line, "", "", f"{problem.message}; {problem.remedy}")


def _settings_root(content: bytes) -> Node | None:
    """The root of a settings file; None for anything else, also for what is no YAML."""
    try:
        documents = compose(decode(content))
        root = documents[0].root if len(documents) == 1 else None
        value = value_of(root) if root is not None else None
    except NotYaml:
        return None
    return root if isinstance(value, dict) and "kind" not in value and SETTINGS & value.keys() else None


def _settings(name: str, root: Node) -> tuple[Settings | None, tuple[Finding, ...]]:
    """What a settings file says, None when it cannot be read, and what is wrong with it."""
    value: Any = value_of(root)
    try:
        settings = parse_settings(value)
    except FieldError as error:
        return None, (_placed(name, root, "settings", Remark(error.path, error.problem)),)
    return settings, tuple(_placed(name, root, "settings", remark) for remark in idle_source_remarks(value, settings))


def _object(parsed: Parsed, located: Located, library: Library) -> Iterator[Finding]:
    remarks = [*_placement(located.manifest), *_remarks(located.manifest, library)]
    if not remarks:
        return
    root = node_of(parsed, located)
    kind, namespace, name = located.key
    what = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    yield from (_placed(located.file, root, what, remark) for remark in remarks)


def _placed(file: str, root: Node | None, what: str, remark: Remark) -> Finding:
    """The remark as a finding at the line and column of its field."""
    line, column = place_of(root, remark.field)
    return Finding(remark.severity, file, line, what, remark.field, remark.message, column, remark.suggestion)


def _placement(manifest: Manifest) -> Iterator[Remark]:
    """What the sync would say of its name and namespace, in the sync's own words."""
    refused = misnamed(manifest)
    if refused is not None:
        yield Remark("metadata.name", str(refused))
    if not namespace_of(manifest) and is_namespaced(manifest):
        yield Remark("metadata", str(no_namespace(manifest)))


def _homeless(parsed: Parsed, library: Library) -> Iterator[Finding]:
    """Namespaces that a folder needs and does not bring, each told once, at the first object that lives there.

    An application usually comes into a namespace that is there; a folder that brings some, or binds roles in them, should bring all.
    """
    bringing = library.of_kind("Namespace", "RoleBinding")
    if not library.whole or not bringing:
        return
    told = {"", *SERVED_NAMESPACES, *(located.key[2] for located in library.of_kind("Namespace"))}
    for located in parsed.manifests:
        namespace = located.key[1]
        if namespace not in told:
            told.add(namespace)
            words = f"namespace {namespace} is not among these files: it must be there before they are applied"
            remark = Remark("metadata.namespace", words, Severity.NOTE)
            yield _placed(located.file, node_of(parsed, located), f"{located.key[0]} {namespace}/{located.key[2]}", remark)


def _remarks(manifest: Manifest, library: Library) -> Iterable[Remark]:
    """Shape first: the rules read objects whose shape is right."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    kind = str(manifest["kind"])
    served = KNOWN.get((group, kind))
    if group in OWN_GROUPS and (served.version != version if served is not None else _mistyped(kind, group)):
        known = ", ".join(sorted(f"{r.kind} ({r.version})" for r in KNOWN.values() if r.group == group))
        return [Remark("kind", f"{group} serves no {kind} in {version}: it serves {known}")]
    rule = RULES.get(f"{kind}.{group}")
    if rule is None:
        return ()
    wrong = list(misshapen(kind, manifest)) if kind in ROWS else []
    if any(remark.severity is Severity.ERROR for remark in wrong):
        return wrong
    return [*wrong, *rule(manifest, library)]
