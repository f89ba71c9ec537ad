"""What a request is answered with, whatever it is about: methods, media types, options of lists, deletions and logs."""

import pytest

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, config_map, deployment, owned, pod

NOT_ALLOWED = (405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
FINALIZER = "example.com/mine"


async def test_a_method_that_a_path_does_not_have_is_not_allowed(api: Api) -> None:
    maps, web, one = api.ours("configmaps"), api.ours("deployments", "web", group=APPS), api.ours("pods", "p")
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    for method, path in (
        ("POST", f"{maps}/a"), ("PUT", maps), ("PATCH", maps), ("POST", f"{web}/status"), ("DELETE", f"{web}/status"),
        ("DELETE", f"{web}/scale"), ("GET", f"{one}/eviction"), ("GET", f"{one}/binding"), ("PUT", f"{one}/log"),
        ("POST", "/api/v1/configmaps"), ("DELETE", "/api/v1/services"), ("DELETE", "/api/v1/namespaces"),
    ):  # fmt: skip
        reply = await api(
            method,
            path,
            {} if method != "GET" else None,
            content="application/merge-patch+json" if method == "PATCH" else "application/json",
        )
        assert reply.refusal == NOT_ALLOWED, f"{method} {path}"
    assert (await api("GET", web)).status == 200
    for method in ("HEAD", "OPTIONS"):
        assert (await api(method, maps)).status == 405


async def test_the_documents_are_there_with_and_without_a_slash(api: Api) -> None:
    for path in ("/version", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1"):
        plain, slashed = await api("GET", path), await api("GET", path + "/")
        assert plain.status == slashed.status == 200 and plain.document == slashed.document
    for path in ("/healthz", "/readyz", "/livez", "/healthz/ping", "/livez/ping"):
        reply = await api("GET", path)
        assert (reply.status, reply.text) == (200, "ok")


async def test_legacy_discovery_tells_kinds_and_their_subresources(api: Api) -> None:
    listed = (await api("GET", "/apis/apps/v1")).document
    found = {one["name"]: one for one in listed["resources"]}
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", APPS)
    assert (found["deployments"]["kind"], found["deployments"]["namespaced"], found["deployments"]["shortNames"]) == (
        "Deployment",
        True,
        ["deploy"],
    )
    assert {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"} == set(found["deployments"]["verbs"])
    scale = found["deployments/scale"]
    assert (scale["kind"], scale["group"], scale["version"], set(scale["verbs"])) == (
        "Scale",
        "autoscaling",
        "v1",
        {"get", "patch", "update"},
    )
    core = {one["name"]: one for one in (await api("GET", "/api/v1")).document["resources"]}
    assert core["pods/eviction"]["verbs"] == ["create"] and "deletecollection" not in core["namespaces"]["verbs"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, */*", ""])
async def test_json_is_answered_to_who_takes_it(api: Api, accept: str) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api.accepting(api.ours("configmaps", "a"), accept)
    assert (reply.status, reply.content_type, reply.document["kind"]) == (200, "application/json", "ConfigMap")


async def test_what_nobody_can_answer_is_not_acceptable(api: Api) -> None:
    for accept, words in (
        ("text/html", ""),
        ("application/json;as=Nope;v=v1;g=meta.k8s.io", "only the following media types are accepted: application/json"),
        ("application/json;as=Table;v=v7;g=meta.k8s.io", "only the following media types are accepted: application/json"),
    ):
        reply = await api.accepting(api.ours("configmaps"), accept)
        assert reply.refusal[:2] == (406, "NotAcceptable") and reply.refusal[2].startswith(words)
    reply = await api.accepting(api.ours("configmaps"), "application/json;as=Nope;v=v1;g=meta.k8s.io,application/json")
    assert reply.document["kind"] == "ConfigMapList"


async def test_a_body_is_of_a_type_that_is_read(api: Api) -> None:
    for content in ("application/merge-patch+json", "text/yaml", "application/octet-stream", "*/*"):
        reply = await api("POST", api.ours("configmaps"), config_map("a"), content=content)
        assert reply.refusal[:2] == (415, "UnsupportedMediaType")
    assert (await api("POST", api.ours("configmaps"), config_map("a"), content="application/json; charset=utf-8")).status == 201


async def test_one_object_is_not_watched_by_its_path(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    assert (await api("GET", api.ours("configmaps", "a"), watch="true")).document["kind"] == "ConfigMap"
    assert (await api("GET", api.ours("configmaps"), watch="false")).document["kind"] == "ConfigMapList"


async def test_a_list_is_as_new_as_it_was_asked_to_be(api: Api) -> None:
    path = api.ours("secrets")
    for name in "abc":
        await api.made(path, {"metadata": {"name": name}})
    await api("DELETE", f"{path}/a")
    # The version of this list, not of the last object made: that one is older than the deletion, which a list from
    # the real server's cache may then still lack.
    version = (await api("GET", path)).document["metadata"]["resourceVersion"]
    assert (await api("GET", path, resourceVersion=version, resourceVersionMatch="NotOlderThan")).names == ["b", "c"]


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ({"resourceVersionMatch": "Exact"}, 422, "is forbidden unless resourceVersion is provided"),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, 'is forbidden for resourceVersion "0"'),
        ({"resourceVersionMatch": "Nope", "resourceVersion": "1"}, 422, 'Unsupported value: "Nope"'),
        ({"watch": "true", "resourceVersionMatch": "NotOlderThan", "resourceVersion": "1"}, 422, "is forbidden for watch"),
        ({"resourceVersion": "abc"}, 400, 'parsing "abc": invalid syntax'),
        ({"limit": "x"}, 400, 'parsing "x": invalid syntax'),
        ({"timeoutSeconds": "x"}, 400, 'parsing "x": invalid syntax'),
        ({"limit": "1", "continue": "abc"}, 400, "continue key is not valid"),
    ],
)
async def test_options_of_a_list_that_make_no_sense_are_refused(api: Api, query: dict[str, str], code: int, words: str) -> None:
    reply = await api("GET", api.ours("configmaps"), **query)
    assert reply.status == code and words in reply.document["message"]


async def test_a_version_yet_to_come_is_not_read(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api("GET", api.ours("configmaps", "a"), resourceVersion="1000000000")
    assert reply.refusal[:2] == (504, "Timeout")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"propagationPolicy": "Nope"},
            'propagationPolicy: Unsupported value: "Nope": supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, "orphanDependents and deletionPropagation cannot be both set"),
        ({"dryRun": ["Some"]}, "dryRun: Unsupported value: "),
    ],
)
async def test_options_of_a_deletion_that_make_no_sense_are_refused(api: Api, options: Json, words: str) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api("DELETE", api.ours("configmaps", "a"), options)
    assert reply.refusal[:2] == (422, "Invalid")
    assert reply.refusal[2].startswith('DeleteOptions.meta.k8s.io "" is invalid: ') and words in reply.refusal[2]


async def test_preconditions_name_the_kind(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a"))
    version = made["metadata"]["resourceVersion"]
    reply = await api("DELETE", api.ours("configmaps", "a"), {"preconditions": {"resourceVersion": "1"}})
    why = f"the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({version})."
    why += " The object might have been modified"
    assert reply.refusal == (409, "Conflict", f'Operation cannot be fulfilled on ConfigMap "a": {why}')
    both = {"preconditions": {"resourceVersion": version, "uid": made["metadata"]["uid"]}}
    assert (await api("DELETE", api.ours("configmaps", "a"), both)).status == 200


async def test_what_every_cluster_needs_is_not_deleted(api: Api) -> None:
    for name in ("default", "kube-system"):
        reply = await api("DELETE", f"/api/v1/namespaces/{name}")
        assert reply.refusal == (403, "Forbidden", f'namespaces "{name}" is forbidden: this namespace may not be deleted')


async def test_a_job_leaves_its_pods_behind_unless_told_otherwise(api: Api) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}
    path = api.ours("jobs", group="batch/v1")
    job = await api.made(path, {"metadata": {"name": "j"}, "spec": {"parallelism": 0, "template": template}})
    await api.made(api.ours("configmaps"), owned(config_map("dependent"), {**job, "apiVersion": "batch/v1", "kind": "Job"}))
    answer = (await api("DELETE", f"{path}/j")).document
    assert answer["kind"] == "Job" and answer["metadata"]["finalizers"] == ["orphan"]
    await api.gone(f"{path}/j")
    assert not (await api("GET", api.ours("configmaps", "dependent"))).metadata.get("ownerReferences")


async def test_a_pod_that_is_gone_is_the_answer(api: Api) -> None:
    await api.made(api.ours("pods"), pod("p"))
    last = (await api("DELETE", api.ours("pods", "p"))).document
    assert (last["kind"], last["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 0)


async def test_a_removal_shows_the_object_as_it_last_was(api: Api) -> None:
    path = api.ours("configmaps", "a")
    made = await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}, finalizers=[FINALIZER]))
    async with api.watch(api.ours("configmaps"), resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        await api("DELETE", path)
        answer = await api.patch(path, {"data": {"x": "2"}, "metadata": {"finalizers": None}})
        assert answer.document["data"] == {"x": "2"} and "finalizers" not in answer.metadata
        assert (await watch.next())[0] == "MODIFIED"
        kind, last = await watch.next()
        assert (kind, last["data"], last["metadata"]["finalizers"]) == ("DELETED", {"x": "1"}, [FINALIZER])


async def test_a_status_lets_metadata_through_as_its_kind_does(api: Api) -> None:
    given: Json = {"metadata": {"labels": {"l": "1"}, "annotations": {"a": "1"}}, "status": {}}
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    found = (await api.patch(api.ours("deployments", "web", group=APPS) + "/status", given)).metadata
    assert not found.get("labels") and found["annotations"]["a"] == "1"
    await api.made(api.ours("services"), {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    found = (await api.patch(api.ours("services", "s") + "/status", given)).metadata
    assert (found["labels"], found["annotations"]) == ({"l": "1"}, {"a": "1"})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "a container name must be specified for pod p, choose one of: [a b]"),
        ({"container": "zz"}, "container zz is not valid for pod p"),
    ],
)
async def test_a_log_is_of_one_container(api: Api, query: dict[str, str], words: str) -> None:
    body = pod("p")
    body["spec"]["containers"] = [{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:1"}]
    await api.made(api.ours("pods"), body)
    assert (await api("GET", api.ours("pods", "p") + "/log", **query)).refusal == (400, "BadRequest", words)


async def test_the_log_of_a_pod_that_nobody_has_run_is_empty(api: Api) -> None:
    await api.made(api.ours("pods"), pod("p"))
    assert (await api("GET", api.ours("pods", "p") + "/log")).status == 204


async def test_an_eviction_and_a_scale_are_of_the_object_at_their_url(api: Api) -> None:
    await api.made(api.ours("pods"), pod("p"))
    eviction = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "other"}}
    reply = await api("POST", api.ours("pods", "p") + "/eviction", eviction)
    assert reply.refusal == (400, "BadRequest", "name in URL does not match name in Eviction object")
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    scale = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "other", "namespace": api.namespace},
        "spec": {"replicas": 1},
    }
    reply = await api("PUT", api.ours("deployments", "web", group=APPS) + "/scale", scale)
    assert reply.refusal == (400, "BadRequest", "the name of the object (other) does not match the name on the URL (web)")


async def test_a_pod_is_bound_once(api: Api) -> None:
    await api.made(api.ours("pods"), pod("p"))
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    assert (await api("POST", api.ours("pods", "p") + "/binding", binding)).status == 201
    reply = await api("POST", api.ours("pods", "p") + "/binding", binding)
    words = 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"'
    assert reply.refusal == (409, "Conflict", words)


async def test_only_an_apply_is_forced(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api.patch(api.ours("configmaps", "a"), {}, force="true")
    words = 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
    assert reply.refusal == (422, "Invalid", words)
