"""Plug-ins that take one measurement from one metrics system."""
