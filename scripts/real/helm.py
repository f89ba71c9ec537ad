"""Helm 4, built from the Go module proxy: what the tests of the Helm renderer run."""

from scripts.real.golang import Modules

PROGRAM = "helm"
VERSION = "v4.3.1"

HELM = Modules("helm", {PROGRAM: "helm.sh/helm/v4/cmd/helm"}, {"helm.sh/helm/v4/internal/version.version": VERSION}).piece
