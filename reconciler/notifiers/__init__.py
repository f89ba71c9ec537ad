"""F5 — plug-ins that carry one message to one chat or hook."""
