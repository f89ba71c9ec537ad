"""Argo's condition language (expr-lang): text and a result in, a value out. Knows nothing of releases; README beside this file. Pure."""
