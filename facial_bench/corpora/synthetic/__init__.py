"""The built-in synthetic corpus: five invented people talking, made from a seed in seconds (docs/synthetic.md)."""

from facial_bench.corpora.synthetic.corpus import make

__all__ = ["make"]
