"""Contexts and requests as messages: plain values and arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from facial_bench_worker.face import Camera, CorpusInfo, FaceModel, Motion
from facial_bench_worker.method import Context, Request
from facial_bench_worker.renderer import Appearance, Crop
from facial_bench_worker.specs import TrackerSpec


def context_message(context: Context) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a method is told, as values and arrays: all but `log`, `progress` and `trackers`."""
    values = {
        "corpus": asdict(context.corpus),
        "seed": context.seed,
        "device": context.device,
        "budget": context.budget,
        "options": dict(context.options),
    }
    model = context.face_model
    if model is None:
        return values, {}
    neutral = {f"neutral/{person}": shape for person, shape in model.neutral.items()}
    return values, {"mean": model.mean, "basis": model.basis, **neutral}


def read_context(
    values: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    log: Callable[[str], None],
    progress: Callable[[float, float, str], None],
    trackers: Mapping[str, TrackerSpec],
) -> Context:
    """The context of a message."""
    corpus = {**values["corpus"], "identities": tuple(values["corpus"]["identities"])}
    neutral = {name[len("neutral/") :]: array for name, array in arrays.items() if name.startswith("neutral/")}
    model = FaceModel(arrays["mean"], arrays["basis"], neutral) if "mean" in arrays else None
    return Context(
        CorpusInfo(**corpus),
        values["seed"],
        values["device"],
        values["budget"],
        values["options"],
        model,
        log,
        progress,
        trackers,
    )


def requests_message(requests: Sequence[Request]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Requests as values and arrays."""
    values, arrays = [], {}
    for number, request in enumerate(requests):
        camera = request.camera
        values.append(
            {
                "id": request.id,
                "identity": request.identity,
                "fps": request.fps,
                "seed": request.seed,
                "camera": None if camera is None else [camera.width, camera.height, camera.focal],
            }
        )
        arrays[f"{number}/audio"], arrays[f"{number}/initial_state"] = request.audio, request.initial_state
    return {"requests": values}, arrays


def read_requests(values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Request]:
    """The requests of a message; their arrays are read-only."""
    for array in arrays.values():
        array.setflags(write=False)
    return [
        Request(
            one["id"],
            one["identity"],
            arrays[f"{number}/audio"],
            arrays[f"{number}/initial_state"],
            one["fps"],
            one["seed"],
            None if one["camera"] is None else Camera(*one["camera"]),
        )
        for number, one in enumerate(values["requests"])
    ]


def picture_request_message(
    motion: Motion, camera: Camera, like: Appearance
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a renderer is asked for, as values and arrays."""
    arrays = {name: part for name, part in vars(motion).items() if part is not None}
    return {"camera": asdict(camera), "like": asdict(like)}, arrays


def read_picture_request(
    values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> tuple[Motion, Camera, Appearance]:
    """What a message asks a renderer for; its arrays are read-only."""
    for array in arrays.values():
        array.setflags(write=False)
    like = {**values["like"], "crop": Crop(**values["like"]["crop"])}
    motion = Motion.from_parts({name: arrays.get(name) for name in ("expression", "pose", "blink", "landmarks")})
    return motion, Camera(**values["camera"]), Appearance(**like)
