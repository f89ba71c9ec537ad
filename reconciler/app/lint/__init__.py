"""What is wrong with manifests and settings before anybody applies them: rules per kind over one set of files."""
