"""`reconciler rollback`: the way back to what the ledger in Git calls proven, from a clone alone: also when the cluster is lost."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.cli.configured import Names, configured
from reconciler.kernel.errors import Terminal
from reconciler.kernel.text import log_line

if TYPE_CHECKING:
    from reconciler.app.cli.offline.local import Clone
    from reconciler.releases.ledger import Proof
    from reconciler.sources.documents import Parsed
    from reconciler.sources.edits import Outcome
    from reconciler.sources.settings import SourceSettings

LAST_PROVEN = "last-proven"
NEGATIVE = 1
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
Workload = Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="the Rollout")]
To = Annotated[str, typer.Option("--to", metavar="VERSION", help="last-proven, or the commit of a version that the ledger calls proven")]
Place = Annotated[Path, typer.Option("-C", metavar="DIR", help="the clone, or a folder in it")]
Settings = Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="the reconciler.yaml that the source is in")]
Writes = Annotated[bool, typer.Option("--write", help="change the files of the worktree; commit and push them as you always do")]


def register(app: typer.Typer) -> None:
    """Add `rollback`."""
    app.command("rollback")(rollback)


def rollback(
    workload: Workload,
    to: To = LAST_PROVEN,
    place: Place = Path(),
    config: Settings = None,
    names: Names = None,
    write: Writes = False,
) -> None:
    """Say, or write into a clone, the edit that leads back to a version that the ledger in Git calls proven. No cluster is asked.

    The ledger is Git notes (`ledger: true` on the source), which a clone has to be told to fetch:
    git fetch origin '+refs/notes/reconciler/*:refs/notes/reconciler/*'

    Every value of the workload and its config that differs from that version is set; other people's changes stay.

    Example: reconciler rollback shop/web --to last-proven -c reconciler.yaml --source shop
    Example: reconciler rollback shop/web --to 8d0e4f7 -c reconciler.yaml --write
    """
    namespace, _, name = workload.rpartition("/")
    if not namespace or not name:
        raise typer.BadParameter(f"{workload}: write it NAMESPACE/NAME")
    if config is None:
        raise typer.BadParameter("-c FILE: the settings say which source, environment and folder the ledger is of")
    sources = configured(config, names)
    if len(sources) != 1:
        raise typer.BadParameter(f"--source NAME: say which; there are {', '.join(one.name for one in sources)}")
    done = asyncio.run(_rollback(place.resolve(), sources[0], (namespace, name), to, write))
    raise typer.Exit(0 if done else NEGATIVE)


async def _rollback(place: Path, settings: "SourceSettings", workload: tuple[str, str], to: str, write: bool) -> bool:
    from reconciler.app.cli.offline.local import clone_at
    from reconciler.releases.opening.asking import source_id
    from reconciler.sources.follow import way_back
    from reconciler.web.client import ClientSettings, open_client

    async with clone_at(place) as clone, open_client(ClientSettings(environment=True)) as http:
        proof = await _proof(clone, settings, workload, to)
        typer.echo(_told(proof))
        source, head = clone.source(settings, (settings,), http), await clone.head()
        tip, good = await source.parsed_at(head), await source.parsed_at(proof.commit)
        if tip is None or good is None:
            raise Terminal(
                f"commit {proof.commit[:12]} cannot be read from this clone: fetch the whole history, or name an older one by --to"
            )
        for caution in _cautions(proof, good, in_history=await source.mirror.is_ancestor(proof.commit, head)):
            typer.echo(f"look at it before you push: {log_line(caution)}")
        outcome = await way_back(source, good, (None, tip), source_id(tip, *workload))
        return await _answered(clone, outcome, write)


async def _proof(clone: "Clone", settings: "SourceSettings", workload: tuple[str, str], to: str) -> "Proof":
    """The version to go back to. Raises Terminal where the ledger is not here, or does not know one."""
    from reconciler.kernel.clock import SystemClock
    from reconciler.releases.ledger import arrivals, is_dated, last_proven, notes_ref, proofs_about

    place = (settings.name, settings.environment)
    ref = notes_ref(*place)
    proofs = [proof for commit, note in (await clone.notes(ref)).items() for proof in proofs_about(commit, note, place)]
    if not proofs:
        remedy = "fetch it: git fetch origin '+refs/notes/reconciler/*:refs/notes/reconciler/*'"
        raise Terminal(f"no ledger of source {settings.name} and environment {settings.environment} in {clone.top}: {remedy}")
    known = proofs if to == LAST_PROVEN else [proof for proof in proofs if len(to) >= 7 and proof.commit.startswith(to.lower())]
    mine = [proof for proof in proofs if (proof.namespace, proof.workload) == workload and not proof.lost]
    arrived = arrivals(await clone.notes_history(ref), SystemClock().now())
    found = last_proven(known, workload, arrived)
    if found is None:
        named = sorted({proof.commit[:12] for proof in mine})
        raise Terminal(f"the ledger calls no version {to} of {'/'.join(workload)} proven; proven are {', '.join(named) or 'none'}")
    for proof in (proof for proof in mine if proof is found or proof.at > found.at):
        if not is_dated(proof, arrived):
            passed = "it is taken" if proof is found else "it is passed over"
            words = f"the line about commit {proof.commit[:12]} says {proof.at:{MOMENT}}, later than it was written; {passed}"
            typer.echo(f"look at it before you push: {log_line(words)}")
    return found


def _cautions(proof: "Proof", good: "Parsed", *, in_history: bool) -> Iterator[str]:
    """Why a person should look twice: the ledger is notes, and who may push them may have written this one."""
    from reconciler.releases.opening.asking import source_id
    from reconciler.sources.images import container_images
    from reconciler.sources.templates import workloads

    if not in_history:
        yield f"commit {proof.commit[:12]} is not in the history of HEAD: the branch was rewritten, or it was never part of it"
    asked = workloads(good).get(source_id(good, proof.namespace, proof.workload))
    images = {container: text for container, _, text in container_images(asked.template.manifest)} if asked is not None else {}
    if asked is not None and proof.images and images != proof.images:
        yield f"the commit asks for {', '.join(sorted(images.values()))}, which is not what the note says"


def _told(proof: "Proof") -> str:
    images = ", ".join(f"{name}: {image}" for name, image in sorted(proof.images.items()))
    by = f"accepted by {proof.accepted_by}" if proof.accepted_by else proof.verdict
    where = f"commit {proof.commit[:12]}, {by} at {proof.at:{MOMENT}} in {proof.environment}"
    measured = [f"{one.metric}: {one.phase}, {one.passed} passed, {one.failed} failed, {one.condition}" for one in proof.evidence]
    return "\n".join(map(log_line, (f"{proof.namespace}/{proof.workload}: {images}", where, *measured)))


async def _answered(clone: "Clone", outcome: "Outcome", write: bool) -> bool:
    from reconciler.sources.edits import Direct, Overtaken, ProposedEdit, Superseded, words

    match outcome:
        case Direct(edit) | ProposedEdit(edit):
            caution = words(outcome)
            typer.echo("\n".join(log_line(f"{field.location}: {field.old} -> {field.new}") for field in edit.fields))
            if caution:
                typer.echo(f"look at it before you push: {log_line(caution)}")
            if write:
                await clone.write(edit.files)
                typer.echo(f"written: {', '.join(map(log_line, sorted(edit.files)))}; commit and push them as you always do")
            return True
        case Superseded(how) if how is Overtaken.RESTORED:
            typer.echo("HEAD asks for exactly this version: there is nothing to write")
            return True
        case _:
            typer.echo(f"by hand only: {log_line(words(outcome))}")
            return False
