"""Run by path, under any interpreter: `PYTHON .../facial_bench_worker/__main__.py [PATH]...`.

Without arguments stand-ins take the place of `facial_bench`; with them, they are where modules are looked for.
"""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    """Watch over a process that answers calls, and be it."""
    if sys.version_info < (3, 8):  # noqa: UP036 - it is run by whatever the user names
        sys.exit(f"Python {sys.version.split()[0]} is too old: methods run under 3.8 or newer.")
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != HERE]
    spec = importlib.util.spec_from_file_location(
        "facial_bench_worker", os.path.join(HERE, "__init__.py"), submodule_search_locations=[HERE]
    )
    package = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules["facial_bench_worker"] = package
    spec.loader.exec_module(package)  # type: ignore[union-attr]
    from facial_bench_worker.supervise import supervise

    supervise()
    try:
        from facial_bench_worker.serve import serve
    except ModuleNotFoundError as problem:
        sys.exit(f"{sys.executable} cannot run a method: {problem}. Install numpy there.")
    serve(sys.argv[1:] or None)


if __name__ == "__main__":
    main()
