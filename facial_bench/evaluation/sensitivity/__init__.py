"""Metric sensitivity: real motion is perturbed in known doses, and a metric is to respond to what it is there for."""
