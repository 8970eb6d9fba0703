"""Conformance checks for the test suite of a plugin; see `facial_bench.plugin_api.conformance`."""

from facial_bench.plugin_api.conformance import Check, Finding, Subject, checks, conclude, make_subject

__all__ = ["Check", "Finding", "Subject", "checks", "conclude", "make_subject"]
