"""Metrics: pure float64 functions, one small file per family, each with its definition."""
