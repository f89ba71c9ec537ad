"""A service mesh on one machine: Istio's objects become the configuration of one real Envoy."""
