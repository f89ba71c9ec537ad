"""The pure half of the mesh: Kubernetes and Istio objects in, Envoy configuration out. No I/O."""
