"""Reading and writing corpus folders; see `facial_bench.corpora.corpus`."""

from facial_bench.corpora.corpus import Corpus, open_corpus, write_corpus

__all__ = ["Corpus", "open_corpus", "write_corpus"]
