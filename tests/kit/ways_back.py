"""Repositories whose values are known, one for each way in which teams keep them: which values count for a workload, and for whom else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from reconciler.renderers.registry import renderer
from reconciler.sources.renderer import Renderer, render_options
from reconciler.sources.settings import HelmSettings, SourceSettings
from tests.kit.desk import SETTINGS, config, rollout
from tests.kit.helm import helm_named, real_helm

Values = Mapping[str, str]
EXTRA = "          env: [{{name: LEVEL, value: '{level}'}}]  # kept\n          envFrom: [{{configMapRef: {{name: settings}}}}]\n"


@dataclass(frozen=True)
class Shape:
    """A repository in which every value stands once: those of the workload alone, those that it shares, those that are not its own."""

    files: Callable[[Values], dict[str, str]]
    settings: SourceSettings
    shared: tuple[str, ...] = ()
    own: tuple[str, ...] = ("tag", "level", "file")
    others: tuple[str, ...] = ("api", "note", "stage", "comment")
    unset: tuple[str, ...] = ()
    """Values that stand somewhere and are never moved."""

    @cached_property
    def renderer(self) -> Renderer:
        """One for all that is rendered of it: it remembers what the same bytes gave."""
        return renderer("", render_options(self.settings))

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.own, *self.shared, *self.others, *self.unset)


def plain(values: Values) -> dict[str, str]:
    """Manifests as they are, several in one file."""
    web = rollout(f"registry.example.com/web:{values['tag']}", extra=EXTRA.format(level=values["level"]))
    return {
        "prod/web.yaml": f"# {values['comment']}\n{web}---\n{config('settings', values['file'])}",
        "prod/api.yaml": rollout(f"registry.example.com/api:{values['api']}", name="api"),
        "prod/notes.yaml": config("notes", values["note"]),
        "stage/web.yaml": rollout(f"registry.example.com/web:{values['stage']}"),
    }


def overlaid(values: Values) -> dict[str, str]:
    """One base, a component and two environments."""
    variable = f"          env: [{{name: LEVEL, value: '{values['base']}'}}]\n          envFrom: [{{configMapRef: {{name: settings}}}}]\n"
    annotated = (
        "kind: Rollout\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    metadata:\n"
    )
    return {
        "base/kustomization.yaml": "resources: [web.yaml, api.yaml]\n",
        "base/web.yaml": rollout(extra=variable),
        "base/api.yaml": rollout("registry.example.com/api:1.0", name="api"),
        "parts/level/kustomization.yaml": (
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n"
            f"  - patch: |-\n      {annotated.replace(chr(10), chr(10) + '      ').rstrip()}\n"
            f"            annotations:\n              component: 'c{values['component']}'\n"
        ),
        "overlays/prod/kustomization.yaml": (
            f"# says nothing: {values['comment']}\n"
            "resources:\n  - ../../base\ncomponents: [../../parts/level]\n"
            "generatorOptions: {disableNameSuffixHash: true}\n"
            "configMapGenerator:\n  - {name: settings, namespace: shop, files: [app.conf]}\n"
            f"  - {{name: notes, namespace: shop, literals: [note={values['note']}]}}\n"
            "images:\n"
            f"  - name: registry.example.com/web   # ours\n    newName: registry.example.com/web-{values['name']}\n"
            f'    newTag: "{values["tag"]}"\n'
            f"  - {{name: registry.example.com/api, newTag: '{values['api']}'}}\n"
            "patches:\n  - path: level.yaml\n"
            "  - target: {kind: Rollout, name: web}\n    patch: |-\n"
            "      - op: add\n        path: /spec/template/spec/terminationGracePeriodSeconds\n"
            f"        value: {values['operation']}\n"
        ),
        "overlays/prod/level.yaml": f"{annotated}      annotations: {{patch: 'p{values['patch']}'}} # kept\n",
        "overlays/prod/app.conf": f"workers = {values['file']}\n\n# end",
        "overlays/stage/kustomization.yaml": (
            f"resources: [../../base]\nimages:\n- name: registry.example.com/web\n  newTag: '{values['stage']}'\n"
        ),
    }


OVERLAID = ("tag", "name", "patch", "operation", "component", "file")


def updated(values: Values) -> dict[str, str]:
    """The same with the tag in the file that an image updater keeps for the Application of Argo CD."""
    name, tag = f"registry.example.com/web-{values['name']}", values["tag"]
    asked = f"kustomize:\n  images:\n  - registry.example.com/web={name}:{tag}\n  - registry.example.com/api:{values['api']}\n"
    return {
        **overlaid({**values, "name": "0", "tag": "0", "api": "0"}),
        "overlays/prod/.argocd-source-shop.yaml": asked,
    }


def charted(values: Values) -> dict[str, str]:
    """A chart with the values of two environments beside it; the image's name is theirs together."""
    image = "{{ .Values.image.name }}:{{ .Values.image.tag }}"
    return {
        "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
        "chart/values.yaml": f"image:\n  name: registry.example.com/web-{values['name']}\nlevel: '0'\nfile: '0'\nnote: '0'\napi: '0'\n",
        "chart/values-prod.yaml": (
            f"# {values['comment']}\nimage: {{tag: '{values['tag']}'}}   # ours\nlevel: '{values['level']}'\n\n"
            f"file: '{values['file']}'\nnote: \"{values['note']}\"\napi: '{values['api']}'"
        ),
        "chart/values-stage.yaml": f"image:\n  tag: '{values['stage']}'\n",
        "chart/templates/web.yaml": rollout(image, extra=EXTRA.format(level="{{ .Values.level }}")),
        "chart/templates/settings.yaml": config("settings", "{{ .Values.file }}"),
        "chart/templates/notes.yaml": config("notes", "{{ .Values.note }}"),
        "chart/templates/api.yaml": rollout("registry.example.com/api:{{ .Values.api }}", name="api"),
    }


def evaluated(values: Values) -> dict[str, str]:
    """Two environments in jsonnet, with a library that both import and a text that it reads; plain manifests beside it."""
    return {
        "prod/main.jsonnet": (
            f"// {values['comment']}\nlocal web = import '../lib/web.libsonnet';\nlocal values = import 'values.libsonnet';\n"
            "[web.rollout(values), web.settings(values)]\n"
        ),
        "prod/values.libsonnet": (
            f"{{\n  tag: '{values['tag']}',  // ours\n  level: '{values['level']}',\n\n  file: \"{values['file']}\",\n"
            f"  unused: '{values['note']}',\n}}"
        ),
        "prod/api.yaml": rollout(f"registry.example.com/api:{values['api']}", name="api"),
        "stage/main.jsonnet": f"(import '../lib/web.libsonnet').rollout({{ tag: '{values['stage']}', level: '0' }})\n",
        "lib/web.libsonnet": (
            f"{{\n  local name = 'web-{values['name']}',\n"
            "  rollout(values): std.parseYaml((importstr 'web.txt') % (values { name: name })),\n"
            "  settings(values): {\n    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' },\n"
            "    data: { file: values.file },\n  },\n}\n"
        ),
        "lib/web.txt": rollout("registry.example.com/%(name)s:%(tag)s", extra=EXTRA.format(level="%(level)s")),
    }


def _chart_with(program: str) -> Shape:
    helm = HelmSettings(program=program, value_files=("values-prod.yaml",))
    return Shape(charted, replace(SETTINGS, path="chart", helm=helm), shared=("name",))


PROD = replace(SETTINGS, path="prod")
OVERLAY = replace(SETTINGS, path="overlays/prod")
SHAPES: Mapping[str, Callable[[Path], Shape]] = {
    "plain": lambda _folder: Shape(plain, PROD),
    "kustomize": lambda _folder: Shape(overlaid, OVERLAY, ("base",), OVERLAID),
    "application": lambda _folder: Shape(updated, replace(OVERLAY, application="shop"), ("base",), OVERLAID),
    "jsonnet": lambda _folder: Shape(evaluated, PROD, shared=("name",)),
    "library helm": lambda folder: _chart_with(helm_named("library", folder)),
    "helm": lambda _folder: _chart_with(real_helm()),
}
