"""All checks of a method in a row, and the one that no subject is needed for: what listing it imports."""

from __future__ import annotations

from facial_bench.core.errors import FacialBenchError, one_line, printable
from facial_bench.core.progress import QUIET
from facial_bench.isolation.start import start_worker
from facial_bench.plugin_api.conformance.check import Finding, run_checks
from facial_bench.plugin_api.conformance.checks import checks
from facial_bench.plugin_api.conformance.subject import Subject

HEAVY = ("torch", "tensorflow", "jax", "matplotlib", "transformers", "mediapipe", "cv2", "pandas", "sklearn")
"""Libraries that listing an installed method must not import: every command would wait for them."""


def check_method(subject: Subject) -> dict[str, Finding]:
    """check -> what it found, of all checks.

    Args:
        subject: the method; its reporter is told which check runs.
    """
    return {"light import": _light_import(subject), **run_checks(checks(), subject)}


def _light_import(subject: Subject) -> Finding:
    """Whether listing the method in a fresh process imports a heavy library."""
    origin = {"plugin": subject.plugin, "version": "", **subject.code.origin}
    worker = start_worker(subject.conditions, [origin], "cpu", QUIET)
    try:
        worker.process.call("list", {"origins": [origin], "installed": False})
        answer = worker.process.call("imported", {"names": list(HEAVY)})
    except FacialBenchError as problem:
        return Finding("fail", one_line(problem))
    finally:
        worker.close()
    heavy = printable(", ".join(map(str, answer.values.get("names", ()))))
    if not heavy:
        return Finding("pass")
    if "file" in subject.code.origin:
        return Finding("property", f"imports {heavy} when listed; as a package import it inside create")
    return Finding("fail", f"listing it imports {heavy}; import inside create")
