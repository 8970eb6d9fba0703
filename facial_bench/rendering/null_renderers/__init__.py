"""The null renderers: what pictures a renderer gets that remembers training frames, or knows only lines."""
