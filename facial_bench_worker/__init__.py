"""What a method's process runs: the records that cross to it, the hook marker, the pipe.

Python 3.8 or newer, and numpy: nothing else, so that it works under the interpreter of any published method. The
harness uses the same records; `facial_bench.types` and `facial_bench.errors` are the names to import them by.
"""
