"""All checks of a method in a row, and the one that no subject is needed for: what listing it imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from facial_bench.core.device import deterministic
from facial_bench.core.errors import one_line
from facial_bench.plugin_api.conformance.check import Finding
from facial_bench.plugin_api.conformance.checks import checks
from facial_bench.plugin_api.conformance.subject import Subject

HEAVY = ("torch", "tensorflow", "jax", "matplotlib", "transformers", "mediapipe", "cv2", "pandas", "sklearn")
"""Libraries that listing an installed method must not import: every command would wait for them."""


def check_method(subject: Subject, files: Sequence[Path] = ()) -> dict[str, Finding]:
    """check -> what it found, of all checks.

    Args:
        subject: the method; its reporter is told which check runs.
        files: single files that were loaded as plugins.
    """
    every = checks()
    findings = {"light import": _light_import(subject, files)}
    with deterministic():
        for number, check in enumerate(every):
            subject.report.progress(number, len(every), f"checking {subject.spec.name}")
            subject.report(f"{subject.spec.name}: {check.name}")
            findings[check.name] = check.run(subject)
    subject.report.progress(len(every), len(every), f"checking {subject.spec.name}")
    return findings


def _light_import(subject: Subject, files: Sequence[Path]) -> Finding:
    """Whether listing the method in a fresh process imports a heavy library."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom facial_bench.plugin_api.manager import load_plugins\n"
        "load_plugins([Path(f) for f in sys.argv[2:]]).get('generators', 'method', sys.argv[1])\n"
        f"print(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    command = [sys.executable, "-c", code, subject.spec.name, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Finding("fail", one_line(done.stderr, longest=10_000)[-300:])
    heavy = ", ".join(done.stdout.split())
    if not heavy:
        return Finding("pass")
    if subject.plugin in {file.name for file in files}:
        return Finding("property", f"imports {heavy} when listed; as a package import it inside create")
    return Finding("fail", f"listing it imports {heavy}; import inside create")
