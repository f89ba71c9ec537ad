"""Plug-ins of canary steps, found among the installed packages and held to the contract."""
