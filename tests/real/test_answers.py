"""What a server says when it refuses: code, reason and words (reference 2)."""

from tests.real.kit.api import Api
from tests.real.kit.objects import APPS, config_map, deployment


async def test_what_is_missing_is_named(api: Api) -> None:
    reply = await api("GET", api.ours("deployments", "x", group=APPS))
    assert reply.refusal == (404, "NotFound", 'deployments.apps "x" not found')
    assert reply.document["details"] == {"name": "x", "group": "apps", "kind": "deployments"}
    assert reply.document["metadata"] == {}


async def test_an_unknown_path_is_not_an_object(api: Api) -> None:
    reply = await api("GET", "/apis/nobody.example.com/v1/things")
    assert (reply.status, reply.text.strip(), reply.content_type.split(";")[0]) == (404, "404 page not found", "text/plain")
    reply = await api("GET", "/apis/apps/v9/deployments")
    assert reply.refusal == (404, "NotFound", "the server could not find the requested resource")


async def test_a_namespace_must_be_there_to_create_in(api: Api) -> None:
    reply = await api("POST", "/api/v1/namespaces/nope/configmaps", config_map("a"))
    assert reply.refusal == (404, "NotFound", 'namespaces "nope" not found')


async def test_a_name_is_taken_once(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api("POST", api.ours("configmaps"), config_map("a"))
    assert reply.refusal == (409, "AlreadyExists", 'configmaps "a" already exists')


async def test_an_old_version_is_a_conflict(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a"))
    await api.patch(api.ours("configmaps", "a"), {"data": {"x": "1"}})
    words = (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    reply = await api("PUT", api.ours("configmaps", "a"), made)
    assert reply.refusal == (409, "Conflict", words)
    reply = await api.patch(api.ours("configmaps", "a"), {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}})
    assert reply.refusal == (409, "Conflict", words)


async def test_another_uid_is_not_deleted(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api("DELETE", api.ours("configmaps", "a"), {"preconditions": {"uid": "other"}})
    assert reply.refusal[:2] == (409, "Conflict")
    assert "the UID in the precondition (other) does not match the UID in record" in reply.refusal[2]


async def test_what_is_invalid_is_listed(api: Api) -> None:
    broken = deployment("web")
    broken["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    reply = await api("POST", api.ours("deployments", group=APPS), broken)
    assert reply.refusal[:2] == (422, "Invalid")
    assert reply.refusal[2].startswith('Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: ')
    assert "`selector` does not match template `labels`" in reply.refusal[2]
    details = reply.document["details"]
    assert (details["group"], details["kind"], details["name"]) == ("apps", "Deployment", "web")
    assert [(cause["reason"], cause["field"]) for cause in details["causes"]] == [("FieldValueInvalid", "spec.template.metadata.labels")]


async def test_a_bad_name_is_invalid(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), config_map("Not_A_Name"))
    assert reply.refusal[:2] == (422, "Invalid")
    assert reply.refusal[2].startswith('ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a')


async def test_a_name_is_required(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}
    reply = await api("POST", api.ours("configmaps"), body)
    assert reply.refusal == (
        422,
        "Invalid",
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    )


async def test_a_version_is_not_for_creating(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), config_map("a", resourceVersion="5"))
    assert reply.status == 500
    assert reply.document["message"] == "resourceVersion should not be set on objects to be created"


async def test_name_namespace_and_kind_must_fit_the_path(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api("PUT", api.ours("configmaps", "a"), config_map("b"))
    assert reply.refusal == (400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)")
    reply = await api("POST", api.ours("configmaps"), config_map("c", namespace="elsewhere"))
    assert reply.refusal == (
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    )
    reply = await api("POST", api.ours("configmaps"), {**config_map("c"), "kind": "Secret"})
    assert reply.refusal[:2] == (400, "BadRequest")


async def test_broken_json_is_a_bad_request(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), '{"apiVersion": "v1", "kind": ')
    assert reply.refusal[:2] == (400, "BadRequest")


async def test_a_media_type_must_be_known(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), "a", content="text/plain")
    assert reply.refusal[:2] == (415, "UnsupportedMediaType")
    reply = await api("PATCH", api.ours("configmaps", "a"), "{}", content="application/json")
    assert reply.refusal[:2] == (415, "UnsupportedMediaType")


async def test_a_verb_that_is_not_there_is_not_allowed(api: Api) -> None:
    reply = await api("PUT", api.ours("configmaps"), config_map("a"))
    assert reply.status == 405


async def test_selectors_must_be_well_formed(api: Api) -> None:
    reply = await api("GET", api.ours("configmaps"), labelSelector="a in (")
    assert reply.refusal[:2] == (400, "BadRequest")
    reply = await api("GET", api.ours("configmaps"), fieldSelector="data.x=1")
    assert reply.refusal[:2] == (400, "BadRequest")
    assert '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"' in reply.refusal[2]
    reply = await api("GET", api.ours("pods"), fieldSelector="spec.foo=1")
    assert reply.refusal[:2] == (400, "BadRequest") and "field label not supported: spec.foo" in reply.refusal[2]


async def test_a_continuation_must_be_ours(api: Api) -> None:
    reply = await api("GET", api.ours("configmaps"), **{"continue": "nonsense", "limit": "1"})
    assert reply.refusal[:2] == (400, "BadRequest")


async def test_a_dry_run_is_for_all_or_refused(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), config_map("a"), dryRun="Some")
    assert reply.refusal[:2] == (422, "Invalid")


async def test_too_large_a_config_map_is_invalid(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), config_map("a", {"x": "y" * ((1 << 20) + 1)}))
    assert reply.refusal[:2] == (422, "Invalid")
    assert 'ConfigMap "a" is invalid: []: Too long: m' in reply.refusal[2] and "1048576 bytes" in reply.refusal[2]


async def test_a_json_patch_that_does_not_fit_is_refused(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}))
    reply = await api.patch(api.ours("configmaps", "a"), [{"op": "test", "path": "/data/x", "value": "2"}], "json")
    assert reply.refusal[:2] == (422, "Invalid")
    assert reply.refusal[2] == "the server rejected our request due to an error in our request"
    reply = await api.patch(api.ours("configmaps", "a"), {"op": "test"}, "json")
    assert reply.refusal[:2] == (400, "BadRequest")
