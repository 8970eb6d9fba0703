"""Numbers over clips: bootstrap, the one estimator, paired comparison."""
