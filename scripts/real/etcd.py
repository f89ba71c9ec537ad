"""etcd 3.6, built from the Go module proxy: an API server of today streams lists only out of an etcd of 3.5.13 or later."""

from scripts.real.golang import Modules

PROGRAM = "etcd"

ETCD = Modules("etcd", {PROGRAM: "go.etcd.io/etcd/server/v3"}, {}).piece
