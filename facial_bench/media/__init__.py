"""Decoding: video, sound features, files of features."""
