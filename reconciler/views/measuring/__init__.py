"""Analyses tried, played back and drawn."""
