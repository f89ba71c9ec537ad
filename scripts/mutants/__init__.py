"""Breaks one guard at a time and asks the tests whether they miss it: `make mutants`."""
