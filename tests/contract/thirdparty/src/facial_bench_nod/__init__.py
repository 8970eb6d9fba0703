"""Nodding to the sound."""
