"""F5 — plug-ins that turn files of a source into manifests."""
