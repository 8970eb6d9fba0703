"""Certification: real motion is spoiled in known doses, and every metric must say so."""
