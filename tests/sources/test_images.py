"""Image references: grammar, equality, and where workloads keep them."""

import pytest

from reconciler.sources.images import NotAnImage, container_images, normalised, parse_image, template_of

SHA = "sha256:" + "a" * 64
NAMES = {
    "nginx": "docker.io/library/nginx",
    "nginx:1.2": "docker.io/library/nginx:1.2",
    "acme/web": "docker.io/acme/web",
    "localhost/web:1": "localhost/web:1",
    "localhost:5000/web": "localhost:5000/web",
    f"ghcr.io/a/b/c:v1@{SHA}": f"ghcr.io/a/b/c:v1@{SHA}",
    "index.docker.io/library/redis:7": "docker.io/library/redis:7",
    "docker.io/redis": "docker.io/library/redis",
    "[::1]:5000/x/y": "[::1]:5000/x/y",
    "a--b/c__d.e:T_1.x-": "docker.io/a--b/c__d.e:T_1.x-",
    "Foo/bar": "foo/bar",
    "registry.k8s.io/pause:3.9": "registry.k8s.io/pause:3.9",
    "host:80/c": "host:80/c",
    "web:1.10": "docker.io/library/web:1.10",
}
NOT_NAMES = [
    "", " nginx", "nginx:", "nginx@sha256:abc", "a/Bar", "http://a/b", "a//b", "-a", "a:" + "t" * 129, "a_-b/c", "a" * 64, "nginx:1:2",
    "{{ .x }}:1", "nginx:${TAG}", "a@sha256:" + "A" * 64, "a@sha256:" + "a" * 63, "aé:1", "nginx\n", "a/" * 200 + "a", "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("text", NAMES)
def test_a_reference_is_spelled_out_in_full(text: str) -> None:
    assert str(parse_image(text)) == NAMES[text]


@pytest.mark.parametrize("text", NOT_NAMES)
def test_what_is_no_reference_is_said_so(text: str) -> None:
    with pytest.raises(NotAnImage):
        parse_image(text)


def test_a_digest_decides_and_the_tag_is_decoration() -> None:
    assert normalised(f"a/b:1@{SHA}") == normalised(f"docker.io/a/b@{SHA}")
    assert normalised("nginx") == "docker.io/library/nginx:latest"
    assert normalised("not an image") == "not an image"


POD = {
    "spec": {"initContainers": [{"name": "init", "image": "init:1"}], "containers": [{"name": "web", "image": "web:1"}, {"name": "bare"}]}
}


@pytest.mark.parametrize(
    "manifest",
    [
        *({"kind": kind, "spec": {"template": POD}} for kind in ("Deployment", "Rollout", "StatefulSet", "DaemonSet", "Job")),
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": POD}}}},
        {"kind": "Pod", **POD},
    ],
    ids=lambda manifest: manifest["kind"],
)
def test_every_kind_of_workload_tells_its_images_by_container(manifest: dict) -> None:
    assert {name: text for name, _path, text in container_images(manifest)} == {"init": "init:1", "web": "web:1"}
    for _name, path, text in container_images(manifest):
        place = manifest
        for part in path:
            place = place[part]
        assert place == text


@pytest.mark.parametrize(
    "manifest", [{"kind": "Service"}, {"kind": "Rollout", "spec": {"workloadRef": {}}}, {"kind": "Deployment", "spec": []}]
)
def test_what_runs_no_pods_has_no_images(manifest: dict) -> None:
    assert template_of(manifest) is None
    assert not list(container_images(manifest))


def test_a_container_without_a_name_is_told_by_its_position() -> None:
    pod = {"kind": "Pod", "spec": {"containers": [{"image": "a:1"}, {"name": "web", "image": "b:1"}, {"image": "c:1"}]}}
    assert [name for name, _path, _text in container_images(pod)] == ["0", "web", "2"]


def test_what_is_no_container_has_no_image() -> None:
    for odd in ("text", None, ["list"], {"name": "none"}, {"image": 7}):
        pod = {"kind": "Pod", "spec": {"containers": [odd, {"name": "web", "image": "b:1"}]}}
        assert [name for name, _path, _text in container_images(pod)] == ["web"]


def test_a_name_may_be_as_long_as_registries_take_and_no_longer() -> None:
    path = "/".join(["a" * 50] * 5)
    assert parse_image(f"r.example.com/{path}").repository == path and len(path) == 254
    assert parse_image(f"r.example.com/{path}b").repository == f"{path}b"
    for text in (f"r.example.com/{path}bc", "a" * 1025):
        with pytest.raises(NotAnImage):
            parse_image(text)


def test_what_a_reference_does_not_say_is_empty() -> None:
    assert (parse_image("web").tag, parse_image("web").digest) == ("", "")
    assert (parse_image(f"web@{SHA}").tag, parse_image(f"web@{SHA}").digest) == ("", SHA)


def test_a_reference_may_be_as_long_as_registries_take_and_no_longer() -> None:
    host = "a." * 508 + "com"
    longest = f"{host}/xx:1"
    assert len(longest) == 1024 and str(parse_image(longest)) == longest
    with pytest.raises(NotAnImage, match="longer than"):
        parse_image(f"{host}/xxx:1")
