"""`reconciler.yaml`, field by field."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.app.settings.manifest import CONTROLLERS, parse_settings
from reconciler.app.settings.model import ConsoleSettings, NotifierSettings
from reconciler.git.objects import Committer, TrustedKeys
from reconciler.kernel.strict import FieldError
from reconciler.sources.drift import DriftPolicy, DriftSettings, IgnoreRule
from reconciler.sources.settings import Allow, CredentialFile, ForgeSettings, PruneLimit, SourceSettings, purpose
from reconciler.sources.windows import SyncWindow

SOURCE = {
    "name": "shop",
    "repository": "https://git.example.com/shop/manifests.git",
    "branch": "main",
    "environment": "production",
}


def source(**changes: Any) -> SourceSettings:
    return parse_settings({"sources": [{**SOURCE, **changes}]}).sources[0]


def refused(document: Any) -> str:
    with pytest.raises(FieldError) as caught:
        parse_settings(document)
    return str(caught.value)


def refused_source(**changes: Any) -> str:
    return refused({"sources": [{key: value for key, value in {**SOURCE, **changes}.items() if value is not None}]})


def test_an_empty_file_has_safe_defaults() -> None:
    settings = parse_settings({})
    assert (settings.namespace, settings.listen, settings.controllers) == ("reconciler", "127.0.0.1:8090", CONTROLLERS)
    assert (settings.lease_duration, settings.lease_renewal) == (timedelta(seconds=15), timedelta(seconds=5))
    assert (settings.sources, settings.prometheus, settings.workdir, settings.webhook_secret_file) == ((), "", "", "")


def test_an_instance_id_drives_rollouts_and_runs_and_no_releases() -> None:
    assert parse_settings({}).instance_id == ""
    assert parse_settings({"instanceId": "blue", "controllers": ["rollout", "analysis"]}).instance_id == "blue"
    assert refused({"instanceId": "blue"}).startswith("instanceId: goes with controllers: [rollout, analysis]")
    assert refused({"instanceId": "Blue/2", "controllers": ["rollout"]}).startswith("instanceId:")


def test_plugins_of_steps_are_switched_off_by_name() -> None:
    assert (parse_settings({}).disabled_steps, parse_settings({"disabledStepPlugins": ["a/b"]}).disabled_steps) == (set(), {"a/b"})
    assert refused({"disabledStepPlugins": [1]}).startswith("disabledStepPlugins[0]")


def test_link_local_addresses_are_asked_only_where_the_settings_say_so() -> None:
    assert (parse_settings({}).link_local, parse_settings({"linkLocal": True}).link_local) == (False, True)
    assert refused({"linkLocal": "yes"}).startswith("linkLocal")


def test_the_console_is_off_and_on_loopback_unless_the_settings_say_otherwise() -> None:
    assert parse_settings({}).console is None
    assert parse_settings({"console": {"url": "https://c.example.com/ops/"}}).console == ConsoleSettings(
        listen="127.0.0.1:8091", url="https://c.example.com/ops"
    )
    assert parse_settings({"console": {"url": "https://C.example.com:8443/ops", "hosts": ["d.example.com"]}}).console == ConsoleSettings(
        listen="127.0.0.1:8091", url="https://C.example.com:8443/ops", hosts=("d.example.com",)
    )
    assert ConsoleSettings(listen="x", hosts=("d",), url="https://C.example.com:8443/ops").names == ("d", "c.example.com")
    assert ConsoleSettings(listen="x", url="http://[::1]:8091").names == ("[::1]",) and ConsoleSettings(listen="x").names == ()
    for wrong in ("c.example.com", "javascript:alert(1)", "https://c/x) [y](z", "https://u:p@c.example.com", "https://c/?q"):
        assert refused({"console": {"url": wrong}}).startswith("console.url: is no address that a browser opens")
    assert parse_settings({"console": {}}).console == ConsoleSettings(listen="127.0.0.1:8091")
    asked = {"listen": "0.0.0.0:80", "hosts": ["Console.example.com"], "anonymous": True}
    found = ConsoleSettings(listen="0.0.0.0:80", hosts=("console.example.com",), anonymous=True)
    assert parse_settings({"console": asked}).console == found
    for host in ("console.example.com:80", "https://console.example.com", "*", "a b"):
        assert refused({"console": {"hosts": [host]}}).startswith("console.hosts"), host
    assert refused({"console": {"port": 1}}).startswith("console.port")


def test_a_source_writes_nothing_by_default() -> None:
    found = source()
    assert (found.apply, found.allow) == (False, Allow())
    assert (found.path, found.interval, found.prune) == (".", timedelta(seconds=30), True)
    assert (found.prune_limit, found.committer, found.credentials, found.forge) == (PruneLimit(20, 10), Committer(), None, None)


def test_every_field_is_read() -> None:
    settings = parse_settings(
        {
            "namespace": "tools",
            "listen": "0.0.0.0:1",
            "prometheus": "http://prometheus:9090",
            "controllers": ["release"],
            "workdir": "/var/lib/x",
            "lease": {"duration": "30s", "renewEvery": "10s"},
            "webhook": {"secretFile": "/s"},
            "sources": [
                {
                    **SOURCE,
                    "path": "environments/production",
                    "interval": "5s",
                    "apply": True,
                    "allow": {"namespaces": ["shop"], "kinds": ["Deployment"]},
                    "prune": False,
                    "pruneLimit": {"percent": 5, "objects": 2},
                    "windows": [{"kind": "deny", "schedule": "0 8 * * 1-5", "duration": "10h", "timeZone": "Europe/Berlin"}],
                    "drift": "heal",
                    "ignoreDifferences": [
                        {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas", "/metadata/annotations/a~1b"]},
                        {"kind": "*", "group": "*", "name": "web", "namespace": "shop", "managedFieldsManagers": ["vpa-*"]},
                    ],
                    "hooks": False,
                    "waveDeadline": "3m",
                    "credentials": {"username": "u", "passwordFile": "/p"},
                    "forge": {"kind": "github", "api": "https://git.example.com/api/v3/", "tokenFile": "/t"},
                    "committer": {"name": "n", "email": "e@example.com"},
                }
            ],
        }
    )
    assert (settings.namespace, settings.listen, settings.prometheus) == ("tools", "0.0.0.0:1", "http://prometheus:9090")
    assert (settings.controllers, settings.workdir, settings.webhook_secret_file) == (("release",), "/var/lib/x", "/s")
    assert (settings.lease_duration, settings.lease_renewal) == (timedelta(seconds=30), timedelta(seconds=10))
    assert settings.sources == (
        SourceSettings(
            name="shop",
            repository="https://git.example.com/shop/manifests.git",
            branch="main",
            path="environments/production",
            environment="production",
            interval=timedelta(seconds=5),
            apply=True,
            allow=Allow(namespaces=("shop",), kinds=("Deployment",)),
            prune=False,
            prune_limit=PruneLimit(5, 2),
            windows=(SyncWindow(kind="deny", schedule="0 8 * * 1-5", duration=timedelta(hours=10), zone="Europe/Berlin"),),
            drift=DriftSettings(
                policy=DriftPolicy.HEAL,
                ignored=(
                    IgnoreRule(group="apps", kind="Deployment", pointers=(("spec", "replicas"), ("metadata", "annotations", "a/b"))),
                    IgnoreRule(group="*", kind="*", name="web", namespace="shop", managers=("vpa-*",)),
                ),
            ),
            hooks=False,
            wave_deadline=timedelta(minutes=3),
            credentials=CredentialFile(username="u", password_file="/p"),
            forge=ForgeSettings(kind="github", api="https://git.example.com/api/v3", repository="shop/manifests", token_file="/t"),
            committer=Committer("n", "e@example.com"),
        ),
    )


@pytest.mark.parametrize(
    ("field", "wrong", "words"),
    [
        ("drift", "ignore", "drift: 'ignore' is not one of report, heal"),
        ("ignoreDifferences", [{"jsonPointers": ["/spec"]}], "ignoreDifferences[0].kind: is required"),
        ("ignoreDifferences", [{"kind": "A"}], "ignoreDifferences[0].jsonPointers: or managedFieldsManagers says"),
        (
            "ignoreDifferences",
            [{"kind": "A", "jsonPointers": ["spec.replicas"]}],
            "ignoreDifferences[0].jsonPointers[0]: 'spec.replicas' is no",
        ),
        ("ignoreDifferences", [{"kind": "A", "jsonPointers": ["/"]}], "ignoreDifferences[0].jsonPointers[0]: '/' is no JSON pointer"),
        ("ignoreDifferences", [{"kind": "A", "jqPathExpressions": [".spec"]}], "ignoreDifferences[0].jqPathExpressions: is not read: name"),
        ("ignoreDifferences", [{"kind": "A", "jsonPointers": ["/a"], "names": []}], "ignoreDifferences[0].names: unknown field"),
    ],
)
def test_what_is_said_about_drift_is_read_strictly(field: str, wrong: object, words: str) -> None:
    assert refused_source(**{field: wrong}).startswith(f"sources[0].{words}")


def test_a_source_may_act_as_a_service_account() -> None:
    assert (source().service_account, source(serviceAccount="shop/deployer.ci").service_account) == ("", "shop/deployer.ci")
    for wrong in ("deployer", "shop/", "/deployer", "a/b/c", "system:serviceaccount:shop:x", "shop/de\nployer"):
        assert "serviceAccount: " in (said := refused_source(serviceAccount=wrong)) and "namespace/name" in said


SIGNED = {"signingKeyFile": "/k", "signOff": True, "skipPipelines": True}


def test_who_signs_and_whose_signature_counts() -> None:
    found = source(apply=True, committer=SIGNED, verify={"allowedSignersFile": "/a", "keyringFile": "/r"})
    assert found.committer == Committer(signing_key_file="/k", sign_off=True, skip_pipelines=True)
    assert found.trusted_keys == TrustedKeys("/a", "/r")
    assert not source().trusted_keys and source(verify={"keyringFile": "/r"}).trusted_keys  # a report restores nothing


def test_the_subject_of_our_commits_is_read_strictly() -> None:
    known = "revert({workload}): {namespace} {environment} {source} {verdict}"
    assert source(committer={"subject": known}).committer.subject == known
    assert refused_source(committer={"subject": "x {sha}"}).startswith("sources[0].committer.subject: {sha} is not one of {workload}")
    assert "{workload.x}" in refused_source(committer={"subject": "{workload.x}"})
    for wrong in ("two\nlines", "  "):
        assert "write one line" in refused_source(committer={"subject": wrong})
    for wrong in ("fix: {workload}", "{workload} @ann", "restore [skip ci]"):
        assert "git or a forge would read more into it" in refused_source(committer={"subject": wrong})


def test_a_source_that_asks_for_signatures_signs_its_own_commits() -> None:
    for driven in ("apply", "companion"):
        words = refused_source(**{driven: True}, verify={"keyringFile": "/r"})
        assert words.startswith("sources[0].committer.signingKeyFile: is needed beside verify")
    assert refused_source(verify={}).startswith("sources[0].verify.allowedSignersFile: or keyringFile names the keys")


def test_pushes_may_have_a_credential_of_their_own() -> None:
    found = source(credentials={"username": "r", "passwordFile": "/r"}, writeCredentials={"username": "w", "passwordFile": "/w"})
    assert found.write_credentials == CredentialFile(username="w", password_file="/w")
    assert refused_source(writeCredentials={"username": "w"}).startswith("sources[0].writeCredentials.passwordFile: is required")


@pytest.mark.parametrize("missing", list(SOURCE))
def test_what_a_source_needs_is_required(missing: str) -> None:
    assert refused_source(**{missing: None}).startswith(f"sources[0].{missing}: is required")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"namespaces": "x"}, "namespaces: unknown field"),
        ({"controllers": ["rollouts"]}, "controllers: 'rollouts' is not one of rollout, analysis, release"),
        ({"lease": {"duration": "10s", "renewEvery": "6s"}}, "lease.renewEvery: must be at most half of lease.duration"),
        ({"lease": {"duration": "0s", "renewEvery": "0s"}}, "lease.duration: must be longer than zero"),
        ({"lease": {"durations": "1s"}}, "lease.durations: unknown field"),
        ({"webhook": {}}, "webhook.secretFile: is required"),
        ({"journal": {}}, "journal.file: is required"),
        ({"journal": {"file": "j", "megabytes": 0}}, "journal.megabytes: expected a whole number of at least 1"),
        ({"journal": {"file": "j", "gigabytes": 1}}, "journal.gigabytes: unknown field"),
        ({"sources": [SOURCE, SOURCE]}, "sources: 2 sources are named 'shop'"),
    ],
)
def test_what_is_wrong_is_named(document: Any, words: str) -> None:
    assert refused(document).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"interval": "0s"}, "sources[0].interval: must be longer than zero"),
        ({"interval": "soon"}, "sources[0].interval: 'soon' is not a duration"),
        ({"apply": "yes"}, "sources[0].apply: expected true or false"),
        ({"apply": True, "companion": True}, "sources[0].companion: somebody else applies beside a companion"),
        ({"name": "Shop Production"}, "sources[0].name: 'Shop Production' is not a name"),
        ({"environment": "prod/../x"}, "sources[0].environment: 'prod/../x' is not a word"),
        ({"allow": {"kind": []}}, "sources[0].allow.kind: unknown field"),
        ({"pruneLimit": {"percent": -1}}, "sources[0].pruneLimit.percent: expected a whole number of at least 0"),
        ({"credentials": {"username": "u"}}, "sources[0].credentials.passwordFile: is required"),
        ({"forge": {"kind": "gitlab"}}, "sources[0].forge.kind: 'gitlab' is not one of github, plain"),
        ({"forge": {"kind": "github"}}, "sources[0].forge.tokenFile: is required"),
        ({"windows": [{"kind": "maybe", "schedule": "* * * * *", "duration": "1h"}]}, "sources[0].windows[0].kind: 'maybe' is not one of"),
        ({"windows": [{"kind": "deny", "schedule": "0 25 * * *", "duration": "1h"}]}, "sources[0].windows[0].schedule: '0 25 * * *' is no"),
        ({"windows": [{"kind": "deny", "schedule": "0 * * * *", "duration": "0s"}]}, "sources[0].windows[0].duration: must be longer"),
        (
            {"windows": [{"kind": "deny", "schedule": "0 * * * *", "duration": "1h", "timeZone": "Mars"}]},
            "sources[0].windows[0].timeZone: 'Mars' is no time zone",
        ),
        ({"committer": {"mail": "x"}}, "sources[0].committer.mail: unknown field"),
    ],
)
def test_what_is_wrong_in_a_source_is_named(changes: dict[str, Any], words: str) -> None:
    assert refused_source(**changes).startswith(words)


@pytest.mark.parametrize(
    "repository",
    ["https://ann:hunter2@git.example.com/a/b", "https://hunter2@git.example.com/a/b", "ssh://git:hunter2@git.example.com/a/b"],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(repository: str) -> None:
    words = refused_source(repository=repository)
    assert words == "sources[0].repository: holds credentials: put them in credentials.passwordFile instead"


@pytest.mark.parametrize(
    "repository", ["ssh://git@git.example.com/a/b", "git@git.example.com:a/b.git", "file:///srv/a@b.git", "https://x.example/a@b"]
)
def test_the_user_of_ssh_and_an_at_sign_in_a_path_are_no_credentials(repository: str) -> None:
    assert source(repository=repository).repository == repository


@pytest.mark.parametrize(
    "url", ["https://git.example.com/shop/manifests.git", "https://git.example.com/shop/manifests/", "git@x.example:shop/manifests.git"]
)
def test_a_forge_without_a_repository_has_that_of_the_url(url: str) -> None:
    forge = source(repository=url, forge={"kind": "plain"}).forge
    assert forge is not None and forge.repository.endswith("shop/manifests")
    assert forge.token_file == ""


def test_a_source_may_name_the_namespace_of_bare_objects_and_files_to_leave_out() -> None:
    found = source(namespace="team-a", exclude=["ci/**", "renovate.json"])
    assert (found.namespace, found.exclude) == ("team-a", ("ci/**", "renovate.json"))
    assert (source().namespace, source().exclude) == ("", ())
    assert "sources[0].namespace" in refused_source(namespace="Team A")
    for glob in ("", "/", "../x", "[z-a].yaml"):
        assert "sources[0].exclude" in refused_source(exclude=[glob])


def test_a_notifier_is_read_and_knows_its_environments() -> None:
    hook = {"name": "chat", "kind": "webhook", "urlFile": "/etc/hook", "tokenFile": "/etc/token", "environments": ["production"]}
    found = parse_settings({"notifiers": [hook]}).notifiers
    assert found == (
        NotifierSettings(name="chat", kind="webhook", url_file="/etc/hook", token_file="/etc/token", environments=("production",)),
    )


def test_a_notifier_for_an_environment_that_no_source_has_is_refused() -> None:
    shop = {"name": "shop", "repository": "file:///srv/shop.git", "branch": "main", "environment": "production"}
    hook = {"name": "chat", "kind": "webhook", "urlFile": "/etc/hook"}
    parse_settings({"sources": [shop], "notifiers": [{**hook, "environments": ["production"]}]})
    with pytest.raises(
        FieldError, match=r"^notifiers\[0\].environments: no source has the environment 'prod'; the sources have production$"
    ):
        parse_settings({"sources": [shop], "notifiers": [{**hook, "environments": ["production", "prod"]}]})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "pigeon"}, "notifiers[0].kind: 'pigeon' is not one of webhook"),
        ({"url": "https://h/x", "urlFile": "/f"}, "notifiers[0].url: write either url, or urlFile"),
        ({}, "notifiers[0].url: write either url, or urlFile"),
        ({"url": "https://u:p@h/x"}, "notifiers[0].url: holds credentials"),
        ({"url": "https://h/x", "chanel": "a"}, "notifiers[0].chanel: unknown field"),
        ({"name": "A b"}, "notifiers[0].name"),
    ],
)
def test_a_notifier_that_cannot_work_is_refused_with_its_field(change: dict[str, str], words: str) -> None:
    assert words in refused({"notifiers": [{"name": "chat", "kind": "webhook", **change}]})


def test_notifiers_have_names_of_their_own() -> None:
    hook = {"name": "chat", "kind": "webhook", "url": "https://h/x"}
    assert "2 notifiers are named 'chat'" in refused({"notifiers": [hook, hook]})


def test_the_kinds_of_forges_are_those_of_the_registry() -> None:
    assert "is not one of github, plain" in refused_source(forge={"kind": "svn"})


SSH = {"sshKeyFile": "/k", "knownHostsFile": "/h"}


@pytest.mark.parametrize("repository", ["ssh://git@git.example.com/a.git", "git@git.example.com:a.git"])
def test_a_repository_over_ssh_has_a_key_and_known_hosts(repository: str) -> None:
    known = parse_settings({"sources": [{**SOURCE, "repository": repository, "credentials": SSH}]}).sources[0].credentials
    assert known == CredentialFile(ssh_key_file="/k", known_hosts_file="/h")


@pytest.mark.parametrize(
    ("repository", "credentials", "words"),
    [
        ("https://h/a.git", {"username": "u", "passwordFile": "/p", **SSH}, "sources[0].credentials.sshKeyFile: is for ssh repositories"),
        (
            "https://h/a.git",
            {"username": "u", "passwordFile": "/p", "knownHostsFile": "/h"},
            "sources[0].credentials.knownHostsFile: is for",
        ),
        ("git@h:a.git", {"username": "u", "passwordFile": "/p"}, "sources[0].credentials.passwordFile: is for https repositories"),
        ("https://h/a.git", SSH, "sources[0].credentials.username: is required"),
    ],
)
def test_a_credential_of_the_other_transport_is_refused(repository: str, credentials: dict[str, str], words: str) -> None:
    assert refused_source(repository=repository, credentials=credentials).startswith(words)


def test_a_companion_says_so_itself_and_applies_nothing() -> None:
    document = {"sources": [{**SOURCE, "companion": True}]}
    (found,) = parse_settings(document).sources
    assert (found.companion, found.apply) == (True, False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"companion": True}, "another tool applies it: releases are judged, Git is restored"),
        ({"apply": True}, "applies it, judges releases, restores Git"),
        ({}, "judges nothing: set apply: true, or companion: true"),
    ],
)
def test_the_first_lines_of_the_log_say_what_is_done_with_a_source(changes: dict[str, Any], words: str) -> None:
    (found,) = parse_settings({"sources": [{**SOURCE, **changes}]}).sources
    assert words in purpose(found, read_only=False)
    assert "no release is judged" in purpose(found, read_only=True)
