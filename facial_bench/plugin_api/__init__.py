"""The contract with plugins: hooks, loading, the built-in plugin, conformance."""
