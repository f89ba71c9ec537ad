"""What every command shares: a client for its time and kubectl's options."""

from reconciler.app.cli.cluster import ClusterPlace, ask
from reconciler.kernel.resources import NAMESPACES
from tests.kit.shell import Shell


def test_a_question_is_answered_by_the_cluster_of_the_kubeconfig(sh: Shell) -> None:
    names = [m["metadata"]["name"] for m in ask(ClusterPlace(str(sh.kubeconfig)), lambda client: client.list(NAMESPACES))]
    assert "shop" in names
