"""The start-up file."""

from reconciler_sandbox.mesh.translate.bootstrap import bootstrap, trial
from reconciler_sandbox.mesh.translate.render import render

from tests.kit.mesh import LAYOUT


def test_admin_is_a_private_socket_and_never_a_port() -> None:
    assert bootstrap(LAYOUT, "/run/admin")["admin"] == {"address": {"pipe": {"path": "/run/admin", "mode": 0o600}}}


def test_four_files_are_followed_whatever_the_number_of_services() -> None:
    text = str(bootstrap(LAYOUT, "admin")) + str(render((), LAYOUT).listeners)
    assert text.count("path_config_source") == 4


def test_a_trial_reads_no_file() -> None:
    assert "path_config_source" not in str(trial(render((), LAYOUT)))
