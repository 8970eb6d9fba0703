"""The built-in methods: null models, the linear baseline, finished outputs."""
