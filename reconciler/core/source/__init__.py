"""What the files of a source mean: manifests, images, changes, provenance, and the edit that takes a change back. Pure."""
