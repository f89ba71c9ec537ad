"""F5 — plug-ins that sample one number from one metrics system."""
