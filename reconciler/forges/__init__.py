"""Plug-ins that speak to one kind of Git hosting."""
