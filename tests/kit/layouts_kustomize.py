"""Shapes of repositories that kustomize renders."""

from tests.kit.layouts import IMAGE, PATCH, TAG, Layout, rollout, service, yaml

BASE = {"base/kustomization.yaml": "resources: [web.yaml, service.yaml]\n", "base/web.yaml": rollout(), "base/service.yaml": service()}
STAGE = {"overlays/stage/kustomization.yaml": "resources: [../../base]\nnamePrefix: s-\n"}
PROD = "overlays/prod/kustomization.yaml"


def overlay(text: str, **more: str) -> dict[str, str]:
    """A base and the overlay of production."""
    return {**BASE, PROD: yaml(text), **{f"overlays/prod/{name.replace('__', '.')}": content for name, content in more.items()}}


REFERENCES = yaml("""
    nameReference:
    - kind: ConfigMap
      version: v1
      fieldSpecs: [{path: spec/template/spec/containers/envFrom/configMapRef/name, kind: Rollout}]
    """)
"""What kustomize has to be told of a kind that it does not know (the field's documentation has the whole of it)."""
CONTAINERS = f"{PATCH}spec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: {IMAGE}:1.0\n"
KUSTOMIZE = (
    Layout(
        "the tag in the overlay",
        "overlays/prod",
        {**overlay(f"resources: [../../base]\nimages:\n- name: {IMAGE}\n  newTag: '1.0'\n"), **STAGE},
        {PROD: TAG},
    ),
    Layout(
        "the tag in the overlay, with an updater's policy behind it",
        "overlays/prod",
        overlay(f'resources:\n- ../../base\nimages:\n- name: {IMAGE}\n  newTag: "1.0" # {{"$imagepolicy": "flux-system:web:tag"}}\n'),
        {PROD: TAG},
    ),
    Layout(
        "a digest in the overlay",
        "overlays/prod",
        overlay(f"resources: [../../base]\nimages: [{{name: {IMAGE}, digest: 'sha256:{'a' * 64}'}}]\n"),
        {PROD: [("a" * 64, "b" * 64)]},
    ),
    Layout(
        "the image moves to another registry",
        "overlays/prod",
        overlay(f"resources: [../../base]\nimages:\n- name: {IMAGE}\n  newName: old.example.com/web\n  newTag: '1.0'\n"),
        {PROD: [("old.example.com", "new.example.com"), *TAG]},
    ),
    Layout("the image in a base of one overlay", "overlays/prod", overlay("resources: [../../base]\n"), {"base/web.yaml": TAG}),
    Layout(
        "the image in a base of two overlays",
        "overlays/prod",
        {**overlay("resources: [../../base]\n"), **STAGE},
        {"base/web.yaml": TAG},
        shared=["overlays/stage"],
    ),
    Layout(
        "the tag in a base, written there by kustomize edit",
        "overlays/prod",
        {
            **overlay("resources: [../../base]\n"),
            "base/kustomization.yaml": f"resources:\n- web.yaml\nimages:\n- name: {IMAGE}\n  newTag: '1.0'\n",
        },
        {"base/kustomization.yaml": TAG},
    ),
    Layout(
        "region upon base, cluster upon region",
        "clusters/eu-1",
        {
            **BASE,
            "regions/eu/kustomization.yaml": f"resources: [../../base]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n",
            "clusters/eu-1/kustomization.yaml": "resources: [../../regions/eu]\nlabels: [{pairs: {cluster: eu-1}}]\n",
        },
        {"regions/eu/kustomization.yaml": TAG},
    ),
    Layout(
        "region with two clusters",
        "clusters/eu-1",
        {
            **BASE,
            "regions/eu/kustomization.yaml": f"resources: [../../base]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n",
            "clusters/eu-1/kustomization.yaml": "resources: [../../regions/eu]\n",
            "clusters/eu-2/kustomization.yaml": "resources: [../../regions/eu]\n",
        },
        {"regions/eu/kustomization.yaml": TAG},
        shared=["clusters/eu-2"],
    ),
    Layout(
        "a component names the image",
        "overlays/prod",
        {
            **overlay("resources: [../../base]\ncomponents: [../../components/release]\n"),
            "components/release/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            f"images: [{{name: {IMAGE}, newTag: '1.0'}}]\n",
        },
        {"components/release/kustomization.yaml": TAG},
    ),
    Layout(
        "a component of two overlays",
        "overlays/prod",
        {
            **overlay("resources: [../../base]\ncomponents: [../../components/release]\n"),
            "overlays/stage/kustomization.yaml": "resources: [../../base]\ncomponents: [../../components/release]\n",
            "components/release/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            f"images: [{{name: {IMAGE}, newTag: '1.0'}}]\n",
        },
        {"components/release/kustomization.yaml": TAG},
        shared=["overlays/stage"],
    ),
    Layout(
        "a strategic merge patch, as older files name it",
        "overlays/prod",
        overlay("resources: [../../base]\npatchesStrategicMerge: [image.yaml]\n", image__yaml=CONTAINERS),
        {"overlays/prod/image.yaml": TAG},
    ),
    Layout(
        "a patch by path",
        "overlays/prod",
        overlay("resources: [../../base]\npatches: [{path: image.yaml}]\n", image__yaml=CONTAINERS),
        {"overlays/prod/image.yaml": TAG},
    ),
    Layout(
        "an operation in a file of its own",
        "overlays/prod",
        overlay(
            "resources: [../../base]\npatches:\n- path: op.yaml\n  target: {kind: Rollout, name: web}\n",
            op__yaml=f"- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: {IMAGE}:1.0\n",
        ),
        {"overlays/prod/op.yaml": TAG},
    ),
    Layout(
        "an operation inside of the kustomization",
        "overlays/prod",
        overlay(
            "resources: [../../base]\npatches:\n- target: {kind: Rollout, name: web}\n  patch: |-\n    - op: replace\n"
            f"      path: /spec/template/spec/containers/0/image\n      value: {IMAGE}:1.0\n"
        ),
        {PROD: TAG},
    ),
    Layout(
        "a replacement takes the image from a ConfigMap",
        "overlays/prod",
        overlay(
            "resources: [../../base, versions.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: versions, fieldPath: data.web}\n"
            "  targets:\n  - select: {kind: Rollout, name: web}\n    fieldPaths: [spec.template.spec.containers.0.image]\n",
            versions__yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: versions, namespace: shop}\n"
            f"data:\n  web: {IMAGE}:1.0\n  api: registry.example.com/api:3\n",
        ),
        {"overlays/prod/versions.yaml": TAG},
        shared=["ConfigMap shop/versions"],
    ),
    Layout(
        "a transformer in a file of its own",
        "overlays/prod",
        overlay(
            "resources: [../../base]\ntransformers: [tags.yaml]\n",
            tags__yaml="apiVersion: builtin\nkind: ImageTagTransformer\nmetadata: {name: tags}\n"
            f"imageTag: {{name: {IMAGE}, newTag: '1.0'}}\n",
        ),
        {"overlays/prod/tags.yaml": TAG},
    ),
    Layout(
        "a file with another ending",
        "overlays/prod",
        {**BASE, "overlays/prod/kustomization.yml": f"resources: [../../base]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n"},
        {"overlays/prod/kustomization.yml": TAG},
    ),
    Layout(
        "a file without an ending",
        "overlays/prod",
        {**BASE, "overlays/prod/Kustomization": f"resources: [../../base]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n"},
        {"overlays/prod/Kustomization": TAG},
    ),
    Layout(
        "literals of a generated ConfigMap whose name is a hash",
        "overlays/prod",
        {
            **overlay(
                "resources: [../../base]\nconfigurations: [rollouts.yaml]\n"
                "configMapGenerator:\n- {name: settings, namespace: shop, literals: [LEVEL=1.0]}\n",
                rollouts__yaml=REFERENCES,
            ),
            "base/web.yaml": rollout(more="envFrom: [{configMapRef: {name: settings}}]"),
        },
        {PROD: TAG},
    ),
    Layout(
        "a file of variables behind a generated ConfigMap",
        "overlays/prod",
        {
            **overlay(
                "resources: [../../base]\nconfigurations: [rollouts.yaml]\n"
                "configMapGenerator:\n- {name: settings, namespace: shop, envs: [app.env]}\n",
                rollouts__yaml=REFERENCES,
                app__env="# ours\nLEVEL=1.0\n",
            ),
            "base/web.yaml": rollout(more="envFrom: [{configMapRef: {name: settings}}]"),
        },
        {"overlays/prod/app.env": TAG},
    ),
    Layout(
        "a prefix, labels in the template and the tag",
        "overlays/prod",
        {
            **overlay(
                "resources: [../../base]\nlabels: [{pairs: {team: shop}, includeTemplates: true}]\n"
                f"images: [{{name: {IMAGE}, newTag: '1.0'}}]\n"
            ),
        },
        {PROD: TAG},
    ),
    Layout(
        "one folder of many applications",
        "clusters/prod",
        {
            "apps/web/kustomization.yaml": f"resources: [web.yaml]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n",
            "apps/web/web.yaml": rollout(),
            "apps/api/kustomization.yaml": "resources: [api.yaml]\nimages: [{name: registry.example.com/api, newTag: '3'}]\n",
            "apps/api/api.yaml": rollout("registry.example.com/api:1", "api"),
            "clusters/prod/kustomization.yaml": "resources: [../../apps/web, ../../apps/api]\nnamespace: shop\n",
        },
        {"apps/web/kustomization.yaml": TAG},
    ),
    Layout(
        "one entry of images for two workloads",
        "overlays/prod",
        {
            **overlay(f"resources: [../../base]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n"),
            "base/kustomization.yaml": "resources: [web.yaml, worker.yaml]\n",
            "base/worker.yaml": rollout(name="worker"),
        },
        {PROD: TAG},
        shared=["Rollout shop/worker"],
    ),
    Layout(
        "an annotation with the commit, which kustomize puts into no Rollout's template",
        "overlays/prod",
        overlay(f"resources: [../../base]\ncommonAnnotations: {{commit: aaaa}}\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n"),
        {PROD: TAG},
        beside={PROD: [("aaaa", "bbbb")]},
    ),
    Layout(
        "a label with the commit in every template",
        "overlays/prod",
        overlay(
            "resources: [../../base]\nlabels: [{pairs: {commit: aaaa}, fields: "
            f"[{{path: spec/template/metadata/labels, create: true, kind: Rollout}}]}}]\nimages: [{{name: {IMAGE}, newTag: '1.0'}}]\n"
        ),
        {PROD: [("aaaa", "bbbb"), *TAG]},
        shared=["Service shop/web"],
    ),
    Layout(
        "one push for two workloads",
        "overlays/prod",
        {
            **overlay(
                "resources: [../../base]\nimages:\n"
                f"- {{name: {IMAGE}, newTag: '1.0'}}\n- {{name: registry.example.com/api, newTag: '3.1'}}\n"
            ),
            "base/kustomization.yaml": "resources: [web.yaml, api.yaml]\n",
            "base/api.yaml": rollout("registry.example.com/api:3", "api"),
        },
        {PROD: TAG},
        beside={PROD: [("3.1", "3.2")]},
    ),
)
