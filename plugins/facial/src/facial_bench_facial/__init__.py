"""FACIAL-GAN for facial-bench: networks, losses, training and the adapter. Importing this imports no torch."""
