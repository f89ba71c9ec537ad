"""Shapes of repositories that Helm renders."""

from tests.kit.layouts import IMAGE, TAG, Layout, rollout, yaml

CHART = "apiVersion: v2\nname: {}\nversion: 0.1.0\nappVersion: '{}'\n"


def chart(image: str, values: str, *, app: str = "1.0", **more: str) -> dict[str, str]:
    """A chart of the workload in `chart`; further files by name with `__` for a dot and `___` for a slash."""
    files = {name.replace("___", "/").replace("__", "."): content for name, content in more.items()}
    own = {"Chart.yaml": CHART.format("web", app), "values.yaml": yaml(values), "templates/web.yaml": rollout(image)}
    return {f"chart/{name}": content for name, content in {**own, **files}.items()}


TAGGED = '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"'
DEFAULTS = f"image:\n  repository: {IMAGE}\n  tag: '1.0'\n"
HELPER = (
    '{{- define "web.image" -}}\n{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}\n'
    '{{- printf "%s/%s:%s" .Values.global.registry .Values.image.repository $tag -}}\n{{- end -}}\n'
)
HELM = (
    Layout("a chart with the tag in its own values", "chart", chart(TAGGED, DEFAULTS), {"chart/values.yaml": TAG}),
    Layout(
        "a file of values for each environment beside the chart",
        "chart",
        {**chart(TAGGED, DEFAULTS, values_prod__yaml="image: {tag: '1.0'}  # prod\n"), "chart/values_stage.yaml": "image: {tag: '1.0'}\n"},
        {"chart/values_prod.yaml": TAG},
        value_files=["values_prod.yaml"],
    ),
    Layout(
        "values in a folder of environments",
        "chart",
        {**chart(TAGGED, DEFAULTS), "environments/prod/web.yaml": "# prod\nimage:\n  tag: '1.0'\nreplicas: 3\n"},
        {"environments/prod/web.yaml": TAG},
        value_files=["../environments/prod/web.yaml"],
    ),
    Layout(
        "values as JSON",
        "chart",
        {**chart(TAGGED, DEFAULTS), "env/prod.json": '{"image": {"tag": "1.0"}}\n'},
        {"env/prod.json": TAG},
        value_files=["/env/prod.json"],
    ),
    Layout(
        "an empty tag means the version of the app",
        "chart",
        chart(
            '"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"',
            f"image: {{repository: {IMAGE}, tag: ''}}\n",
        ),
        {"chart/Chart.yaml": [("appVersion: '1.0'", "appVersion: '6.6.6'")]},
    ),
    Layout(
        "a helper puts registry, repository and tag together",
        "chart",
        chart(
            '{{ include "web.image" . }}',
            "global:\n  registry: registry.example.com\nimage:\n  repository: web\n  tag: '1.0'\n",
            templates____helpers__tpl=HELPER,
        ),
        {"chart/values.yaml": TAG},
    ),
    Layout(
        "the whole image is one value",
        "chart",
        chart("{{ .Values.image }}", f"image: {IMAGE}:1.0  # whole\n"),
        {"chart/values.yaml": TAG},
    ),
    Layout(
        "an anchor in the values",
        "chart",
        chart(
            '"{{ .Values.image.repository }}:{{ .Values.versions.web }}"',
            f"versions:\n  web: &web '1.0'\n  label: *web\nimage:\n  repository: {IMAGE}\n",
        ),
        {"chart/values.yaml": TAG},
    ),
    Layout(
        "a list of containers in the values",
        "chart",
        chart("{{ (index .Values.containers 0).image }}", f"containers:\n- name: web\n  image: {IMAGE}:1.0\n- name: log\n  image: log:2\n"),
        {"chart/values.yaml": TAG},
    ),
    Layout(
        "a part of a chart of parts",
        "umbrella",
        {
            "umbrella/Chart.yaml": f"{CHART.format('umbrella', '1')}dependencies: [{{name: web, version: 0.1.0}}]\n",
            "umbrella/values.yaml": "web:\n  image:\n    tag: '1.0'\n",
            **{f"umbrella/charts/web/{name.removeprefix('chart/')}": content for name, content in chart(TAGGED, DEFAULTS).items()},
        },
        {"umbrella/values.yaml": TAG},
    ),
    Layout(
        "a global value for all parts",
        "umbrella",
        {
            "umbrella/Chart.yaml": f"{CHART.format('umbrella', '1')}dependencies: [{{name: web, version: 0.1.0}}]\n",
            "umbrella/values.yaml": "global: {version: '1.0'}\n",
            "umbrella/templates/other.yaml": rollout('"registry.example.com/api:{{ .Values.global.version }}"', "api"),
            **{
                f"umbrella/charts/web/{name.removeprefix('chart/')}": content
                for name, content in chart('"{{ .Values.image.repository }}:{{ .Values.global.version }}"', DEFAULTS).items()
            },
        },
        {"umbrella/values.yaml": TAG},
        shared=["Rollout shop/api"],
    ),
    Layout(
        "a loop over workloads",
        "chart",
        {
            "chart/Chart.yaml": CHART.format("web", "1"),
            "chart/values.yaml": "workloads:\n  web: {tag: '1.0'}\n  api: {tag: '3.1'}\n",
            "chart/templates/all.yaml": "{{- range $name, $one := .Values.workloads }}\n---\n"
            + rollout('"registry.example.com/{{ $name }}:{{ $one.tag }}"', "{{ $name }}")
            + "{{- end }}\n",
        },
        {"chart/values.yaml": TAG},
        beside={"chart/values.yaml": [("3.1", "3.2")]},
    ),
    Layout(
        "configuration whose checksum is in the template",
        "chart",
        chart(
            TAGGED,
            f"{DEFAULTS}level: low\n",
            templates___config__yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n"
            "data: {level: '{{ .Values.level }}'}\n",
            templates___web__yaml=rollout(TAGGED, more="envFrom: [{configMapRef: {name: settings}}]").replace(
                "      labels: {app: web}\n",
                "      labels: {app: web}\n      annotations:\n        checksum: '"
                '{{ include (print $.Template.BasePath "/config.yaml") . | sha256sum }}'
                "'\n",
            ),
        ),
        {"chart/values.yaml": [("level: low", "level: high")]},
    ),
)
