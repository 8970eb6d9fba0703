"""What passes between the rooms: frozen records, with shape and unit under each field.

T is a number of frames at the protocol's rate, F the width of the audio features, K = 68 landmarks
in iBUG order counted from 0.
"""

from __future__ import annotations

from facial_bench.core.types.metric import (
    FAMILIES,
    Definition,
    Items,
    MetricSpec,
    Person,
    PictureMetricSpec,
    Pool,
    Sample,
)
from facial_bench_worker.face import (
    EXPRESSION_WIDTH,
    LANDMARKS,
    POSE_WIDTH,
    STATE_WIDTH,
    Camera,
    Clip,
    CorpusInfo,
    FaceModel,
    Motion,
)
from facial_bench_worker.method import Context, Generator, GeneratorSpec, Request, Stateful, check_options
from facial_bench_worker.renderer import Appearance, Crop, Rendered, Renderer, RendererSpec, VideoClip
from facial_bench_worker.specs import (
    AudioFeature,
    AudioFeatureSpec,
    CorpusSpec,
    Face,
    ImporterSpec,
    Sound,
    Tracker,
    TrackerSpec,
)

__all__ = [
    "EXPRESSION_WIDTH",
    "FAMILIES",
    "LANDMARKS",
    "POSE_WIDTH",
    "STATE_WIDTH",
    "Appearance",
    "AudioFeature",
    "AudioFeatureSpec",
    "Camera",
    "Clip",
    "Context",
    "CorpusInfo",
    "CorpusSpec",
    "Crop",
    "Definition",
    "Face",
    "FaceModel",
    "Generator",
    "GeneratorSpec",
    "ImporterSpec",
    "Items",
    "MetricSpec",
    "Motion",
    "Person",
    "PictureMetricSpec",
    "Pool",
    "Rendered",
    "Renderer",
    "RendererSpec",
    "Request",
    "Sample",
    "Sound",
    "Stateful",
    "Tracker",
    "TrackerSpec",
    "VideoClip",
    "check_options",
]
