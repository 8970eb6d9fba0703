"""How much skill do methods lose from one synthetic corpus to another? `python -m studies.fresh_seed`

Runs honest methods and the one that makes the public corpus again on the public corpus and on several seeds, then
compares as `facial-bench verify --fresh-seed` does: an honest method on each ordered pair of corpora, which should
hardly ever fall apart; the attack on each pair of the public corpus and a seed, which always should. What is done
already is taken from the folder of results. `facial` needs its plugin, and minutes a corpus.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from facial_bench import RunConfig, Session
from facial_bench.corpora.synthetic import make
from facial_bench.corpora.synthetic.corpus import NAME
from facial_bench.evaluation.fresh_seed import Change, compare_fresh
from facial_bench.evaluation.result import Result

HONEST = ("mean-motion", "replay", "time-reversed", "ar1", "ridge")
ATTACK = "attack-regenerate"
FILE = Path(__file__).parent / "attacks" / "regenerate.py"
DISTANCES = ("lmd", "lmd/canonical")
COUPLINGS = ("speech_coupling/head", "speech_coupling/lids")
RANKED = {
    "distances": DISTANCES,
    "accuracies": ("pose_accuracy", "blink_accuracy"),
    "realism": ("pose_realism", "blink_realism"),
    "speech coupling": COUPLINGS,
}
"""What methods are ranked on: a column of the table for each kind."""


def run_all(session: Session, seeds: Sequence[int], methods: Sequence[str], out: Path) -> dict[str, list[Result]]:
    """method -> its result on the public corpus, then on each seed."""
    results: dict[str, list[Result]] = {method: [] for method in methods}
    for seed in (None, *seeds):
        folder = Path(NAME) if seed is None else out / f"corpus-{seed}"
        if seed is not None and not folder.exists():
            make(folder, seed)
        for method in methods:
            plugins = (str(FILE),) if method == ATTACK else ()
            place = str(out / ("public" if seed is None else f"seed-{seed}"))
            config = RunConfig(method, corpus=str(folder), device="cpu", out=place, plugins=plugins)
            results[method] += [result for _, result in session.evaluate(config)]
    return results


def pairs(method: str, results: Sequence[Result]) -> Iterator[tuple[Result, Result]]:
    """(as if published, as if fresh)."""
    if method == ATTACK:
        return ((results[0], other) for other in results[1:])
    return itertools.permutations(results, 2)


def span(changes: Sequence[Change]) -> str:
    """The least and the greatest loss of skill; a gain is a loss below zero."""
    lost = [one.lost for one in changes if one.lost is not None]
    return f"{min(lost):.2f} to {max(lost):.2f}" if lost else "none compared"


def main() -> None:
    """Run, compare, print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=(101, 102, 103, 104))
    parser.add_argument("--methods", nargs="+", default=HONEST, help="honest ones")
    parser.add_argument("--out", type=Path, default=Path("results/fresh-seed"))
    given = parser.parse_args()
    session = Session(metrics=(*DISTANCES, *COUPLINGS))
    results = run_all(session, given.seeds, [*given.methods, ATTACK], given.out)
    print(f"| method | pairs | fall apart | {' | '.join(f'skill lost, {kind}' for kind in RANKED)} |")
    print(f"|{'---|' * (3 + len(RANKED))}")
    for method, own in results.items():
        verdicts = [compare_fresh(one, two, sum(RANKED.values(), ())) for one, two in pairs(method, own)]
        fallen = sum(any(change.falls_apart for change in one) for one in verdicts)
        every = [change for one in verdicts for change in one]
        spans = [span([change for change in every if change.name in names]) for names in RANKED.values()]
        print(f"| `{method}` | {len(verdicts)} | {fallen} | {' | '.join(spans)} |")


if __name__ == "__main__":
    main()
