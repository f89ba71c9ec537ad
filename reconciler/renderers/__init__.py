"""Plug-ins that turn files of a source into manifests."""
