"""Rendered pictures: renderers, the pictures that they learn from, and how like the real ones theirs are."""
