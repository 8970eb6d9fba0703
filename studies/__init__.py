"""Experiments that the docs quote: python -m studies.NAME."""
