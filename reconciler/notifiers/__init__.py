"""Plug-ins that tell people somewhere how a release stands."""
