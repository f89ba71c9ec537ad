"""What is wrong with manifests and settings before they are applied: rules per kind over one set of files."""
