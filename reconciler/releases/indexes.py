"""By which words Releases are found without looking at all of them."""

from collections.abc import Mapping

from reconciler.kernel.identity import Manifest, namespace_of


def workload_word(namespace: str, name: str) -> str:
    """Releases of the Rollout of this name."""
    return f"workload {namespace}/{name}"


def pull_word(source: str, environment: str, number: int) -> str:
    """Releases that one pull request asked for in one environment: they share a comment."""
    return f"pull {source}/{environment}/{number}"


def lost_word(workload: str, images: Mapping[str, str]) -> str:
    """Releases of workloads of this name, in any namespace, whose version with these images lost its proof."""
    return f"lost {workload} {sorted(images.items())}"


def release_words(release: Manifest) -> tuple[str, ...]:
    """A Release is listed under its workload, and under its pull request if it has one."""
    spec = _object(release.get("spec"))
    pull = spec.get("pull") or _object(release.get("status")).get("pull")
    number = _object(pull).get("number")
    pulls = (pull_word(str(spec.get("source")), str(spec.get("environment")), number),) if isinstance(number, int) else ()
    images, workload = _object(spec.get("images")), str(_object(spec.get("workload")).get("name"))
    lost = (lost_word(workload, images),) if _object(release.get("status")).get("lost") else ()
    return (workload_of(release), *pulls, *lost)


def workload_of(release: Manifest) -> str:
    """The word of the workload that a Release is about."""
    workload = _object(_object(release.get("spec")).get("workload"))
    return workload_word(namespace_of(release), str(workload.get("name")))


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
