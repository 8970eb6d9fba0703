"""The built-in corpus `synthetic-video`: two invented people drawn, with their sound (docs/synthetic.md)."""

from facial_bench.corpora.synthetic_video.corpus import make
from facial_bench.corpora.synthetic_video.options import make_from_options

__all__ = ["make", "make_from_options"]
