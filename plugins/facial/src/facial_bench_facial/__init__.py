"""FACIAL-GAN for facial-bench: networks, losses, training and the adapter. Importing this imports no torch."""

__version__ = "0.1.0"
