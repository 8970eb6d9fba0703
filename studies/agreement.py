"""`python -m studies.agreement BUILT REFERENCE`: how far two corpora of the same videos lie apart.

Clips are matched by name; `x-1`, `x-2` ... of one match `xa`, `xb` ... of the other, pieces of one video in order.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks.timing import markdown
from facial_bench.core.geometry import outer_eye_distance
from facial_bench.corpora.corpus import Corpus, open_corpus


def pairs(built: Corpus, reference: Corpus) -> dict[str, str]:
    """Clip of `built` -> clip of `reference`."""
    known = {entry.id for entry in reference.entries}
    found = {}
    for entry in built.entries:
        piece = re.fullmatch(r"(.+)-(\d+)", entry.id)
        other = f"{piece[1]}{chr(ord('a') + int(piece[2]) - 1)}" if piece else entry.id
        if {entry.id, other} & known:
            found[entry.id] = entry.id if entry.id in known else other
    return found


def main() -> None:
    """Print a row a clip, and one over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("built", type=Path)
    parser.add_argument("reference", type=Path)
    options = parser.parse_args()
    built, reference = open_corpus(options.built), open_corpus(options.reference)
    rows, every = [], {"landmarks": [], "rotation": []}
    for ours, theirs in pairs(built, reference).items():
        a, b = built.clip(ours), reference.clip(theirs)
        frames = min(a.frames, b.frames)
        a, b = a[:frames], b[:frames]
        share = np.linalg.norm((a.landmarks - b.landmarks)[..., :2], axis=2) / outer_eye_distance(b.landmarks)[:, None]
        turned = [Rotation.from_euler("xyz", clip.motion.pose[:, :3].astype(np.float64)) for clip in (a, b)]
        angle = np.degrees((turned[0].inv() * turned[1]).magnitude())
        every["landmarks"].append(share.ravel())
        every["rotation"].append(angle)
        rows.append(
            {
                "clip": ours,
                "frames": f"{built.clip(ours).frames} and {reference.clip(theirs).frames}",
                "landmarks, % of the eye distance": 100 * float(np.median(share)),
                "rotation, °": float(np.median(angle)),
            }
        )
    whole = {name: float(np.median(np.concatenate(parts))) for name, parts in every.items()}
    rows.append(
        {
            "clip": "all",
            "frames": "",
            "landmarks, % of the eye distance": 100 * whole["landmarks"],
            "rotation, °": whole["rotation"],
        }
    )
    print(markdown(rows))


if __name__ == "__main__":
    main()
