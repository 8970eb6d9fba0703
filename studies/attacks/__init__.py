"""Attacks on the benchmark, each a plugin file that stands alone; `studies.exploits` runs them."""
