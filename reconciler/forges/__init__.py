"""F5 — plug-ins that speak to one kind of Git hosting."""
