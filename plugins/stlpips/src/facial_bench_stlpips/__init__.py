"""Shift-tolerant LPIPS as a picture metric of facial-bench."""
