"""From a method and a corpus to a result, and back from its stored motion."""
