"""Phone posteriors of PocketSphinx's English acoustic model, as audio features of facial-bench."""
