"""The names that a plugin with a corpus imports."""

from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus

__all__ = ["Corpus", "CorpusDescription", "open_corpus", "write_corpus"]
