"""F1 — nouns: frozen data that every floor shares. Pure."""
