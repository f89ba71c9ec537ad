"""An independent witness: a Kubernetes API, its controllers and nodes, an Envoy mesh, metrics, a Git host."""
