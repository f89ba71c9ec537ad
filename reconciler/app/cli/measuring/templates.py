"""Analysis templates for the commands that try them: from files or the cluster, with those they name and their arguments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from reconciler.analysis.arguments import Unresolved
from reconciler.analysis.model import AnalysisRun
from reconciler.analysis.templates import CLUSTER, NAMESPACED, InvalidTemplates, reachable
from reconciler.analysis.trial import TrialArguments, lent_by, trial_run
from reconciler.app.cli.offline.files import manifests_at, options_of
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, ROLLOUTS
from reconciler.kube.client import Client

KINDS: Mapping[str, str] = {
    "analysistemplate": NAMESPACED,
    "analysistemplates": NAMESPACED,
    "at": NAMESPACED,
    "clusteranalysistemplate": CLUSTER,
    "clusteranalysistemplates": CLUSTER,
    "cat": CLUSTER,
}
"""What may stand before a name, as kubectl takes it."""


LISTS = ("templates", "metrics", "args", "dryRun", "measurementRetention")


@dataclass(frozen=True, slots=True)
class TemplateName:
    """A template as typed: its name, and its kind where that was said."""

    name: str
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.kind or NAMESPACED} {self.name}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The template that is tried, and every template that it may name."""

    template: Manifest
    known: tuple[Manifest, ...]

    namespace: str
    """Where its run would be."""

    @property
    def words(self) -> str:
        """What it is called: its kind, then where it lives."""
        place = "/".join(filter(None, (namespace_of(self.template), name_of(self.template))))
        return f"{self.template.get('kind')} {place}"


def template_name(text: str) -> TemplateName:
    """`NAME`, or `KIND/NAME`. Another kind is a usage error."""
    kind, slash, name = text.rpartition("/")
    if slash and kind.partition(".")[0].lower() not in KINDS:
        raise typer.BadParameter(f"{text!r}: write NAME, analysistemplate/NAME or clusteranalysistemplate/NAME")
    return TemplateName(name, KINDS[kind.partition(".")[0].lower()] if slash else "")


def arguments_of(texts: Iterable[str]) -> dict[str, str]:
    """`name=value`, each name once. Anything else is a usage error."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"--arg {name!r}: write name=value")  # what is no name may be a value, and is not repeated
        if name in found:
            raise typer.BadParameter(f"--arg {name}: given twice")
        found[name] = value
    return found


def chosen_in_files(paths: Sequence[Path], asked: TemplateName, namespace: str) -> Chosen:
    """The template of that name in files; without a name the only one that no other names. Raises Terminal."""
    located = manifests_at(paths, options_of(namespace, ())).manifests
    known = tuple(one.manifest for one in located if one.manifest.get("kind") in (NAMESPACED, CLUSTER))
    where = ", ".join(map(str, paths))
    if not known:
        raise Terminal(f"{where}: no AnalysisTemplate or ClusterAnalysisTemplate is in it")
    fitting = [t for t in known if name_of(t) == asked.name and asked.kind in ("", t["kind"])] if asked.name else _outermost(known)
    if len(fitting) == 1:
        home = namespace_of(fitting[0]) or namespace
        return Chosen(fitting[0], tuple(t for t in known if t["kind"] == CLUSTER or namespace_of(t) == home), home)
    names = ", ".join(f"{str(t['kind']).lower()}/{name_of(t)}" for t in known)
    raise Terminal(f"{where}: {f'no {asked}' if asked.name and not fitting else 'several templates'}; name one of: {names}")


def _outermost(known: Sequence[Manifest]) -> list[Manifest]:
    """The templates that no other one names."""
    named = {
        (CLUSTER if one.get("clusterScope") else NAMESPACED, one.get("templateName"), name_of(t)) for t in known for one in _references(t)
    }
    inner = {(kind, name) for kind, name, by in named if name != by}
    return [template for template in known if (template["kind"], name_of(template)) not in inner]


def _references(template: Manifest) -> list[Manifest]:
    found = (template.get("spec") or {}).get("templates") or []
    return [one for one in found if isinstance(one, dict)]


async def chosen_in_cluster(client: Client, asked: TemplateName, namespace: str) -> Chosen:
    """The template of that name in the cluster, with those it names. Raises Terminal when one is not there."""
    kinds = (asked.kind,) if asked.kind else (NAMESPACED, CLUSTER)
    found = [template for kind in kinds if (template := await _found(client, kind, asked.name, namespace)) is not None]
    if not found:
        raise Terminal(f"no {' or '.join(kinds)} {asked.name} in namespace {namespace}: name another with -n, or a file with -f")
    known = {(str(found[0]["kind"]), asked.name): found[0]}
    absent: set[tuple[str, str]] = set()
    while missing := _missing(found[0], known) - absent:
        for kind, name in sorted(missing):
            template = await _found(client, kind, name, namespace)
            if template is None:
                absent.add((kind, name))  # the trial says so, as the daemon would
            else:
                known[kind, name] = template
    return Chosen(found[0], tuple(known.values()), namespace)


def _missing(template: Manifest, known: Mapping[tuple[str, str], Manifest]) -> set[tuple[str, str]]:
    asked: set[tuple[str, str]] = set()

    def look_up(kind: str, name: str) -> Manifest | None:
        asked.add((kind, name))
        return known.get((kind, name))

    reachable([template.get("spec") or {}], look_up)
    return asked - known.keys()


async def _found(client: Client, kind: str, name: str, namespace: str) -> Manifest | None:
    resource = CLUSTER_ANALYSIS_TEMPLATES if kind == CLUSTER else ANALYSIS_TEMPLATES
    return await client.find(resource, namespace if resource.namespaced else "", name)


async def lent_arguments(client: Client, chosen: Chosen, rollout: str) -> dict[str, str]:
    """What a Rollout would give the template now. Raises Terminal where it is not there, or does not name the template."""
    found = await client.find(ROLLOUTS, chosen.namespace, rollout)
    if found is None:
        raise Terminal(f"no Rollout {chosen.namespace}/{rollout}: name another with --rollout, or give arguments with --arg")
    try:
        lent = lent_by(found, chosen.template)
    except Unresolved as error:
        raise Terminal(f"Rollout {chosen.namespace}/{rollout}: {error}") from error
    if lent is None:
        raise Terminal(f"Rollout {chosen.namespace}/{rollout}: none of its analyses names {chosen.words}; give arguments with --arg")
    return lent


def run_of(chosen: Chosen, asked: TrialArguments, metadata: Manifest) -> AnalysisRun:
    """The run that is tried. An argument that is wrong or missing is a usage error; Terminal for templates that do not go together."""
    from reconciler.analysis.manifest import parse_run

    _check_shapes(chosen.known)
    try:
        return parse_run(trial_run(chosen.template, chosen.known, asked, metadata))
    except Unresolved as error:
        raise typer.BadParameter(f"{error}: give arguments with --arg name=value") from error
    except InvalidTemplates as error:
        raise Terminal(f"{chosen.words}: {error}") from error
    except InvalidField as error:
        raise Terminal(f"{chosen.words}: cannot be read: {error}") from error


def _check_shapes(templates: Iterable[Manifest]) -> None:
    """What stands in lists of templates is an object each, as the CustomResourceDefinition has it. Raises Terminal."""
    for template in templates:
        try:
            spec = Fields("spec", template.get("spec") or {})
            for name in LISTS:
                spec.each(name)
        except InvalidField as error:
            raise Terminal(f"{template.get('kind')} {name_of(template)}: cannot be read: {error}") from error
