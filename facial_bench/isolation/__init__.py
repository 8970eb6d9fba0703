"""A method apart from the harness: its process, what it can reach, what it costs, and what its end means."""
