"""Shapes of public repositories, rebuilt small: where teams keep the image of one workload, and a bump of it as their tools write it.

Each shape is named after where it is seen. The workload is always the Rollout `shop/web`; what else stands there belongs to the shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import dedent, indent

IMAGE = "registry.example.com/web"


@dataclass(frozen=True)
class Layout:
    """One repository and one bump. `shared` are words of the places that a shared file also moves: then the way back is proposed."""

    name: str
    path: str
    files: Mapping[str, str]
    bump: Mapping[str, Sequence[tuple[str, str]]]
    """By file: what stands there and what takes its place."""
    shared: Sequence[str] = ()
    beside: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """What the same commit moves and the workload does not see: it stays."""
    value_files: Sequence[str] = ()
    """Of a chart, as the settings name them."""

    @property
    def moved(self) -> dict[str, str]:
        """The files after the commit, as far as it moves them."""
        return _moved(_moved(dict(self.files), self.bump), self.beside)

    @property
    def restored(self) -> dict[str, str]:
        """The files of the bump as the way back leaves them."""
        after = _moved(dict(self.files), self.beside)
        return {name: after[name] for name in self.bump}


def _moved(files: dict[str, str], moves: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, str]:
    for file, pairs in moves.items():
        for old, new in pairs:
            assert old in files[file], f"{file} does not hold {old!r}"
            files = {**files, file: files[file].replace(old, new)}
    return files


def yaml(text: str) -> str:
    return dedent(text).lstrip("\n")


def rollout(image: str = f"{IMAGE}:1.0", name: str = "web", more: str = "") -> str:
    """`more` are lines of the container."""
    lines = "".join(f"          {line}\n" for line in more.splitlines())
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  replicas: 2\n"
        f"  selector:\n    matchLabels: {{app: {name}}}\n  strategy:\n    canary:\n      steps: [{{setWeight: 20}}, {{pause: {{}}}}]\n"
        f"  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      containers:\n        - name: {name}\n"
        f"          image: {image}\n{lines}"
    )


def service(name: str = "web") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n"
    )


TAG = [("1.0", "6.6.6")]


PATCH = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"

PLAIN = (
    Layout("one file a kind", "k8s", {"k8s/rollout.yaml": rollout(), "k8s/service.yaml": service()}, {"k8s/rollout.yaml": TAG}),
    Layout(
        "a rendered branch in one file",
        "prod",
        {"prod/manifests.yaml": f"---\n{service()}---\n# Source: web/templates/rollout.yaml\n{rollout()}---\n{service('api')}"},
        {"prod/manifests.yaml": TAG},
    ),
    Layout("an anchor holds the image", ".", {"web.yaml": rollout().replace("image: ", "image: &image ")}, {"web.yaml": TAG}),
    Layout(
        "a bot's comment stands behind the image",
        ".",
        {"web.yaml": rollout(f"{IMAGE}:1.0  # renovate: datasource=docker")},
        {"web.yaml": TAG},
    ),
    Layout(
        "an updater's policy stands behind the image",
        ".",
        {"web.yaml": rollout(f'{IMAGE}:1.0 # {{"$imagepolicy": "flux-system:web"}}')},
        {"web.yaml": TAG},
    ),
    Layout("a quoted image", ".", {"web.yaml": rollout(f'"{IMAGE}:1.0"')}, {"web.yaml": TAG}),
    Layout(
        "a digest beside the tag",
        ".",
        {"web.yaml": rollout(f"{IMAGE}:1.0@sha256:{'a' * 64}")},
        {"web.yaml": [("1.0@sha256:" + "a" * 64, "6.6.6@sha256:" + "b" * 64)]},
    ),
    Layout("lines that end as Windows ends them", ".", {"web.yaml": rollout().replace("\n", "\r\n")}, {"web.yaml": TAG}),
    Layout("a byte order mark", ".", {"web.yaml": "\ufeff" + rollout()}, {"web.yaml": TAG}),
    Layout("no newline at the end", ".", {"web.yaml": rollout().rstrip("\n")}, {"web.yaml": TAG}),
    Layout(
        "JSON",
        ".",
        {
            "web.json": '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",\n "metadata": {"name": "web", "namespace": "shop"},\n'
            ' "spec": {"selector": {"matchLabels": {"app": "web"}}, "strategy": {"canary": {}}, "template": {"metadata": {"labels": '
            f'{{"app": "web"}}}}, "spec": {{"containers": [\n  {{"name": "web", "image": "{IMAGE}:1.0"}}]}}}}}}}}\n'
        },
        {"web.json": TAG},
    ),
    Layout(
        "a List of objects",
        ".",
        {"all.yaml": "apiVersion: v1\nkind: List\nitems:\n" + indent("- " + rollout().rstrip().replace("\n", "\n  "), "  ") + "\n"},
        {"all.yaml": TAG},
    ),
    Layout(
        "a Deployment that a Rollout refers to",
        ".",
        {
            "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 0\n"
            "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
            f"        - {{name: web, image: '{IMAGE}:1.0'}}\n",
            "rollout.yaml": f"{PATCH}spec:\n  workloadRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}\n"
            "  strategy: {canary: {}}\n",
        },
        {"deployment.yaml": TAG},
    ),
    Layout(
        "a version label beside the tag",
        ".",
        {"web.yaml": rollout(more="env:\n  - {name: VERSION, value: '1.0'}")},
        {"web.yaml": TAG},
    ),
    Layout(
        "a sidecar and a container that goes first",
        ".",
        {
            "web.yaml": rollout()
            + "        - name: proxy\n          image: proxy:3.1\n"
            + f"      initContainers:\n        - {{name: migrate, image: '{IMAGE}-migrate:1.0'}}\n"
        },
        {"web.yaml": [(f"{IMAGE}-migrate:1.0", f"{IMAGE}-migrate:6.6.6"), (f"{IMAGE}:1.0", f"{IMAGE}:6.6.6")]},
    ),
    Layout(
        "an app of apps, and what it points at, side by side",
        "apps",
        {
            "apps/root.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec:\n"
            "  project: default\n  source: {repoURL: 'https://git.example.com/shop.git', path: apps/web, targetRevision: '1.0'}\n"
            "  destination: {server: 'https://kubernetes.default.svc', namespace: shop}\n",
            "apps/web/rollout.yaml": rollout(),
        },
        {"apps/web/rollout.yaml": TAG},
    ),
    Layout(
        "a monorepo of clusters with Flux's own objects beside",
        "clusters/prod",
        {
            "clusters/prod/apps.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: "
            "flux-system}\nspec: {interval: 10m, path: ./apps/prod, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n",
            "clusters/prod/web.yaml": rollout(),
        },
        {"clusters/prod/web.yaml": TAG},
    ),
)
