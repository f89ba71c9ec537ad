"""A stage that serves a person's own folder of manifests in place of the sample repository."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.sources.renderer import RenderOptions
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.fittings import NAMESPACES
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.virtual.folder import ManifestFolder

SOURCE, ENVIRONMENT = "rehearsed", "rehearsed"


class FolderStage(Stage):
    """One source follows the folder, rendered as it was read; `further` namespaces are those that its objects only name."""

    def __init__(self, manifests: ManifestFolder, images: Mapping[str, Behaviour], further: tuple[str, ...] = ()) -> None:
        super().__init__(Path(), images)
        self._manifests = manifests
        self.namespaces = tuple(dict.fromkeys((*NAMESPACES, *manifests.namespaces, *further)))

    def hosted(self) -> Mapping[str, bytes | None]:
        """The folder's files."""
        return dict(self._manifests.files)

    def with_sources(self, written: str) -> str:
        """The settings with the folder as their one source."""
        document = yaml.safe_load(written)
        (known,) = document["sources"]
        manifests, options = self._manifests, self._manifests.options
        source = {
            **known,
            "name": SOURCE,
            "path": options.path or ".",
            "environment": ENVIRONMENT,
            "namespace": manifests.namespace,
            "exclude": list(options.exclude),
            "allow": {"namespaces": list(manifests.namespaces), "kinds": list(manifests.kinds)},
            **({"renderer": manifests.renderer} if manifests.renderer else {}),
            **({"application": options.application} if options.application else {}),
            **_rendering(options),
        }
        document["sources"] = [{name: value for name, value in source.items() if value not in ("", [])}]
        return yaml.safe_dump(document, sort_keys=False, width=140)


def _rendering(options: RenderOptions) -> Mapping[str, Any]:
    """How charts and jsonnet are rendered, in the words of the settings."""
    helm, jsonnet = options.helm, options.jsonnet
    chart = {
        "program": helm.program,
        "releaseName": helm.release,
        "namespace": helm.namespace,
        "valueFiles": list(helm.value_files),
        "values": dict(helm.values),
        "set": dict(helm.assignments),
        "kubeVersion": helm.kube_version,
        "apiVersions": list(helm.api_versions),
        "includeCRDs": helm.include_crds,
    }
    evaluated = {
        "libs": list(jsonnet.libraries),
        "extVars": dict(jsonnet.variables),
        "extCode": dict(jsonnet.variable_code),
        "tlas": dict(jsonnet.arguments),
        "tlaCode": dict(jsonnet.argument_code),
    }
    return {"helm": _filled(chart), "jsonnet": _filled(evaluated)}


def _filled(words: Mapping[str, Any]) -> Mapping[str, Any]:
    return {word: value for word, value in words.items() if value not in ("", [], {})}
