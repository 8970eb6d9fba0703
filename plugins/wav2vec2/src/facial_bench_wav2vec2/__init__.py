"""Letter posteriors of a wav2vec 2.0 CTC model, as audio features of facial-bench."""
