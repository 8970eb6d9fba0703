"""`python -m facial_bench`."""

from facial_bench.cli import main

if __name__ == "__main__":
    main(prog_name="facial-bench")
