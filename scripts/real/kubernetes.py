"""kube-apiserver and kube-controller-manager 1.34, built from the Go module proxy.

`modules/kubernetes/go.mod` puts the module of each staging folder in the place of that folder, which the proxy does not have.
"""

from scripts.real.golang import Modules

VERSION = "v1.34.4"
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
TOLD = {
    "gitVersion": VERSION,
    "gitMajor": "1",
    "gitMinor": "34",
    "gitCommit": "unknown",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
}

KUBERNETES = Modules(
    "kubernetes",
    {program: f"k8s.io/kubernetes/cmd/{program}" for program in ("kube-apiserver", "kube-controller-manager")},
    {f"{package}.{name}": value for package in VERSION_PACKAGES for name, value in TOLD.items()},
).piece
