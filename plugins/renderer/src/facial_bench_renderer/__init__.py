"""FACIAL's rendering stage for facial-bench: what the network sees, networks, training, the adapter. Importing this
imports no torch."""
