"""The name and the version of this distribution."""

DISTRIBUTION = "facial-bench"
"""What registers the built-in plugin: the source of its methods and metrics."""
__version__ = "0.1.0"
