"""The built-in synthetic corpus: five invented people talking, made from a seed in seconds (docs/synthetic.md)."""

from facial_bench.corpora.synthetic.corpus import make
from facial_bench.corpora.synthetic.options import make_from_options

__all__ = ["make", "make_from_options"]
