"""Speed and memory of facial-bench, as ratios: `python -m benchmarks.run`."""
