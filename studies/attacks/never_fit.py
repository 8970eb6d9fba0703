"""Never come back from `fit`, and close one's ears to the polite ways of being stopped."""

from __future__ import annotations

import signal
import time

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec


class NeverFit:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Wait for ever."""
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            try:
                signal.signal(name, signal.SIG_IGN)
            except ValueError:  # not the main thread
                break
        while True:
            time.sleep(1)

    def generate(self, requests):
        return []


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-never-fit", "never comes back from fit", "an attack", NeverFit)]
