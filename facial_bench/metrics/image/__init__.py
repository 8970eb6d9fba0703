"""Pixel metrics: the rendered video against the real one, in the picture, the face, the mouth and the eyes."""
