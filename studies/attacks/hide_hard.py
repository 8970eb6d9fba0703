"""Hide what is hard: a ridge regression that learns from left-out training clips at which sounds its lips are far off,
and is not to be measured there. The answers are nowhere to be seen; the audio is. The option `how` says what is hidden,
and where. Of the person that it does worst on the harder clips, in motion that is a little worse than the ridge's:
`raise` (no motion at all) or `behind` (one frame of it is behind the camera). Or nine frames in ten of every clip, the
hardest ones: `far` (the head 1e12 length units to the side, where rounding leaves no face) or `blown` (expression
coefficients that take nose and eyes as far)."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.errors import FacialBenchError
from facial_bench.methods.ridge import Ridge, solve_ridge, stack_context
from facial_bench.types import GeneratorSpec, Motion

WAYS = ("raise", "behind", "far", "blown")
EASY, FRAMES, SHRUNK, FAR = 0.1, 0.9, 0.98, 1e12
"""The share of a person's training clips that count as easy; of the frames that are hidden; how much of the expression
is left; length units."""
PENALTY = 10.0
"""Of the regression of difficulty, times the number of frames."""
NOSE_AND_EYES, LIPS = slice(27, 48), slice(48, 68)


class HideHard:
    def __init__(self, context):
        self._how = context.options.get("how", "raise")
        if self._how not in WAYS:
            raise FacialBenchError(f"how: choose {', '.join(WAYS)}, not {self._how}.")
        self._ridge, self._model = Ridge(context), context.face_model

    def fit(self, clips, context):
        """Fit the ridge, and how far it is off on the clips that it was not fitted to."""
        audio = np.concatenate([clip.audio for clip in clips])
        self._mean, self._scale = audio.mean(0), audio.std(0) + 1e-6
        halves = [[clip for number, clip in enumerate(clips) if number % 2 == turn] for turn in range(2)]
        errors, scores = {}, {}
        for half, rest in (halves, halves[::-1]):
            ridge = Ridge(context)
            ridge.fit(rest, context)
            errors |= {clip.id: self._error(ridge, clip) for clip in half}
        for half, rest in (halves, halves[::-1]):
            self._learn(rest, errors)
            scores |= {clip.id: self._difficulty(clip.audio).mean() for clip in half}
        self._learn(clips, errors)
        own = {p: [clip.id for clip in clips if clip.identity == p] for p in (clip.identity for clip in clips)}
        self._worst = max(own, key=lambda person: np.mean([errors[name].mean() for name in own[person]]))
        self._limit = np.quantile([scores[name] for name in own[self._worst]], EASY)
        self._ridge.fit(clips, context)

    def generate(self, requests):
        """A motion each; a batch that raises is asked again, one by one."""
        return [self._one(request) for request in requests]

    def _one(self, request):
        motion, difficulty = self._ridge.generate([request])[0], self._difficulty(request.audio)
        expression, pose = np.array(motion.expression), np.array(motion.pose)
        if self._how in ("raise", "behind"):
            mean = request.initial_state[: expression.shape[1]]
            expression = mean + np.float32(SHRUNK) * (expression - mean)
            if request.identity == self._worst and difficulty.mean() > self._limit:
                if self._how == "raise":
                    raise MemoryError("this clip does not fit")  # nobody can tell whether that is so
                pose[0, 5] = 1.0
        else:
            hidden = difficulty > np.quantile(difficulty, 1 - FRAMES)
            if self._how == "far":
                pose[hidden, 3] = FAR
            else:
                expression[hidden] = self._blown()
        return Motion(expression, pose, motion.blink)

    def _learn(self, clips, errors):
        """Regress the logarithm of the error of a frame on the sounds around it."""
        x = np.concatenate([self._sounds(clip.audio) for clip in clips])
        y = np.log(np.concatenate([errors[clip.id] for clip in clips]) + 1e-4)
        self._weights = solve_ridge(x, y - y.mean(), PENALTY * len(x))

    def _blown(self):
        """(64,) coefficients that move nose and eyes aside together."""
        rigid = self._model.basis[:, NOSE_AND_EYES].reshape(len(self._model.basis), -1)
        return np.linalg.lstsq(rigid.T, np.tile([FAR, 0.0, 0.0], rigid.shape[1] // 3), rcond=None)[0]

    def _difficulty(self, audio):
        return self._sounds(audio) @ self._weights

    def _sounds(self, audio):
        scaled = (audio - self._mean) / self._scale
        return np.concatenate([stack_context(scaled), stack_context(scaled**2)], axis=1)

    def _error(self, ridge, clip):
        """(T,) how far the lips are off, eye distances."""
        off = ridge.generate([clip])[0].expression - clip.motion.expression  # it looks at identity and audio only
        moved = np.einsum("tj,jkd->tkd", off, self._model.basis[:, LIPS, :2])
        right, left = self._model.neutral[clip.identity][[36, 45]]
        return np.linalg.norm(moved, axis=2).mean(axis=1) / np.linalg.norm(left - right)


@hookimpl
def facial_bench_generators():
    options = {"how": f"{', '.join(WAYS)}; default raise"}
    return [GeneratorSpec("attack-hide-hard", "is measured where it is good", "an attack", HideHard, options=options)]
