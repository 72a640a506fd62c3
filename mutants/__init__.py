"""Faults planted on purpose, one at a time, in a copy of the repository: each must be caught by the tests it names."""
