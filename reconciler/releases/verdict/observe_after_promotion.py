"""Reads what the run after promotion needs: the templates that the policy names, directly or through others."""

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.errors import NotFound
from reconciler.releases.model import Release
from reconciler.releases.verdict.after_promotion import run_after_promotion

DEEPEST = 10


async def after_promotion_run(client: Client, release: Release, name: str, analysis: Manifest) -> Manifest:
    """The AnalysisRun of this name to create for a release. Raises Terminal naming a template that is not there."""
    rollout = await client.get(ROLLOUTS, release.namespace, release.spec.workload.name)
    return run_after_promotion(name, release, rollout, analysis, await _templates(client, release.namespace, analysis))


async def _templates(client: Client, namespace: str, analysis: Manifest) -> list[Manifest]:
    found: dict[tuple[bool, str], Manifest] = {}
    waiting = [analysis]
    for _ in range(DEEPEST):
        references = [(bool(r.get("clusterScope")), str(r.get("templateName"))) for owner in waiting for r in owner.get("templates") or []]
        missing = [reference for reference in dict.fromkeys(references) if reference not in found]
        found.update({reference: await _template(client, namespace, reference) for reference in missing})
        waiting = [found[reference].get("spec") or {} for reference in missing]
        if not waiting:
            return list(found.values())
    raise Terminal(f"the policy's analysis: templates name each other more than {DEEPEST} deep")


async def _template(client: Client, namespace: str, reference: tuple[bool, str]) -> Manifest:
    cluster, name = reference
    resource: Resource = CLUSTER_ANALYSIS_TEMPLATES if cluster else ANALYSIS_TEMPLATES
    try:
        return await client.get(resource, "" if cluster else namespace, name)
    except NotFound as error:
        raise Terminal(f"the policy's analysis: {resource.kind} {name} is not in the cluster: push it first") from error
