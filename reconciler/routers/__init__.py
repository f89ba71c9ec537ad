"""Plug-ins that turn desired traffic into a mesh's own objects. Pure."""
