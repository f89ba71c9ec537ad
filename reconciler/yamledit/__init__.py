"""YAML as nodes with places, and edits that leave every other byte alone. Knows nothing of manifests; README beside this file. Pure."""
