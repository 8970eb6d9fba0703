"""Metric sensitivity: real motion is spoiled in known doses, and a metric is to respond to what it is there for."""
