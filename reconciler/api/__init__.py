"""F2 — words in and out: manifests parsed into the model, the model rendered into manifests. Pure."""
