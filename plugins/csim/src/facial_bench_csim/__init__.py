"""Cosine similarity of face embeddings as a picture metric of facial-bench."""
