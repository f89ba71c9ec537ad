"""Testers' way to a new version: how it is reached, until when, and how far their header comes."""
