"""The corpus folder, and how one is made from tracks, videos and foreign formats."""
