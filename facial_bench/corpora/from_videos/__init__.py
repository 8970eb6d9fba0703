"""From videos to a corpus: decode, find cuts, track, resample, compute audio features, one video at a time."""
