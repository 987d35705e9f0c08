"""Who speaks when: voices told apart from moment to moment, then found again over a whole recording.

A segmentation network (pyannote's segmentation-3.0; Plaquet and Bredin 2023) says for ten seconds at a
time which of up to three voices speak in each frame; a second network (CAM++; Wang et al. 2023) turns
each two seconds of one voice into a vector; `clusters` finds which vectors are one person's. Of the
sound nothing else is kept: about four megabytes for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice.asr.diarization.clustering import Grouping, group
from voice.errors import ModelDamaged
from voice.features import kaldi_log_mel
from voice.models.sessions import open_session

RATE = 16_000
WINDOW = 10 * RATE  # samples that the segmentation network sees
HOP = 270  # samples from one of its frames to the next
CENTER = 495  # sample in the middle of its first frame
FRAMES = 589  # of a window
STEP = 296 * HOP  # samples from window to window: every moment is judged twice
LOCAL = 3  # voices that can be told apart in a window
# Which of the three voices speak in each of the network's classes.
SPEAKING = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], bool)
EDGE = (FRAMES - STEP // HOP) // 2  # frames of a window that its neighbors judge better
MEL_HOP, MEL_CENTER = 160, 200  # samples between the frames of the spectrum, and to the middle of the first
SHORTEST_PIECE = 0.4  # seconds of a voice that make a vector
LONGEST_PIECE = 2.0  # seconds: where the segmentation network misses a change, little is lost
SHORTEST_GAP = 0.3  # seconds of silence inside a turn that do not divide it
SHORTEST_TURN = 0.1  # seconds


@dataclass(frozen=True)
class SpeakerTurn:
    """Someone speaks from `start` to `end` seconds; `speaker` counts from 0 in order of appearance."""

    speaker: int
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Piece:
    """Frames [first, last) of a scene in which `voice` speaks alone, as a unit `vector` (D,)."""

    first: int
    last: int
    voice: int
    vector: np.ndarray


@dataclass(frozen=True, eq=False)
class Scene:
    """A part of the recording: `active` (F, 3) bool, which voices speak, from its frame `start` on."""

    start: int
    active: np.ndarray
    pieces: tuple[Piece, ...]


class Speakers:
    """The two networks; holds no state, shared by any number of recordings."""

    rate = RATE

    def __init__(self, segmentation, embedding, grouping: Grouping = Grouping()) -> None:
        self._segmentation, self._embedding, self._grouping = segmentation, embedding, grouping

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> Speakers:
        """Load segmentation.onnx and embedding.onnx from `folder`. Raises ModelDamaged."""
        names = ("segmentation.onnx", "embedding.onnx")
        return cls(*(_session(Path(folder) / name, threads) for name in names))

    def listen(self) -> DiarizationStream:
        """A fresh recording."""
        return DiarizationStream(self, self._grouping)

    def scene(self, samples: np.ndarray, number: int, last: bool) -> Scene:
        """The `number`th window, (T ≤ 160000,) samples at 16 kHz; its edges belong to its neighbors."""
        sound = np.pad(samples, (0, WINDOW - len(samples)))[None, None].astype(np.float32)
        chances = self._segmentation.run(None, {self._segmentation.get_inputs()[0].name: sound})[0][0]
        active = SPEAKING[chances.argmax(axis=1)]  # (589, 3)
        first = 0 if number == 0 else EDGE
        end = min(FRAMES, (len(samples) - CENTER) // HOP + 1) if last else EDGE + STEP // HOP
        active = active[first : max(first, end)]
        mel = kaldi_log_mel(samples) if active.any() else np.zeros((0, 0), np.float32)
        pieces = [
            Piece(begin, stop, voice, self._vector(mel[_mel_frame(first + begin) : _mel_frame(first + stop)]))
            for begin, stop, voice in _pieces(active)
        ]
        return Scene(number * (STEP // HOP) + first, active, tuple(pieces))

    def _vector(self, mel: np.ndarray) -> np.ndarray:
        """(N, 80) frames of one voice → (D,) of length one."""
        name = self._embedding.get_inputs()[0].name
        vector = self._embedding.run(None, {name: (mel - mel.mean(axis=0))[None]})[0][0]
        return vector / np.linalg.norm(vector)


def _mel_frame(frame: int) -> int:
    """The frame of the spectrum nearest to one of the segmentation network's."""
    return max(0, round((frame * HOP + CENTER - MEL_CENTER) / MEL_HOP))


def _pieces(active: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Where one voice of `active` (F, 3) speaks alone: (first, end, voice), none long or very short."""
    alone = active & (active.sum(axis=1, keepdims=True) == 1)
    for voice in range(LOCAL):
        for first, end in _stretches(alone[:, voice]):
            length = (end - first) * HOP / RATE
            if length >= SHORTEST_PIECE:
                cuts = np.rint(np.linspace(first, end, int(np.ceil(length / LONGEST_PIECE)) + 1)).astype(int)
                yield from ((int(a), int(b), voice) for a, b in zip(cuts, cuts[1:], strict=False))


def _stretches(flags: np.ndarray) -> np.ndarray:
    """Where (F,) bool is true: (N, 2), first and one past the last."""
    return np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)


def _session(path: Path, threads: int | None):
    if not path.is_file():
        raise ModelDamaged(f"{path} is missing; install voice again")
    return open_session(path, threads=threads or 1)


class DiarizationStream:
    """One recording: `feed` its sound as it comes, then ask for the `turns`."""

    def __init__(self, speakers: Speakers, grouping: Grouping = Grouping()) -> None:
        self._speakers, self._grouping = speakers, grouping
        self._held = np.zeros(0, np.float32)
        self._scenes: list[Scene] = []
        self._samples = 0

    def through(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same blocks, listened to on their way to somebody else."""
        for block in blocks:
            self.feed(block)
            yield block

    def feed(self, samples: np.ndarray) -> None:
        """The next (T,) samples at 16 kHz."""
        self._samples += len(samples)
        self._held = np.concatenate((self._held, samples))
        while len(self._held) >= WINDOW:
            self._scenes.append(self._speakers.scene(self._held[:WINDOW], len(self._scenes), last=False))
            self._held = self._held[STEP:]

    def turns(self, count: int | None = None) -> tuple[SpeakerTurn, ...]:
        """Who spoke when, by `count` people (None: as many as there seem to be), in the order of time."""
        return _turns(self.scenes(), self._grouping, count)

    def scenes(self) -> list[Scene]:
        """All that was heard so far."""
        rest = [self._speakers.scene(self._held, len(self._scenes), last=True)]
        return self._scenes + (rest if len(self._held) > MEL_CENTER * 2 else [])


def _turns(scenes: Sequence[Scene], grouping: Grouping, count: int | None) -> tuple[SpeakerTurn, ...]:
    pieces = [piece for scene in scenes for piece in scene.pieces]
    if not pieces:
        return ()
    vectors = np.stack([piece.vector for piece in pieces])
    lengths = np.array([piece.last - piece.first for piece in pieces]) * HOP / RATE
    labels = group(vectors, lengths, grouping, count)
    spoken = np.zeros((scenes[-1].start + len(scenes[-1].active), labels.max() + 1), bool)
    at = 0
    for scene in scenes:
        owners = labels[at : at + len(scene.pieces)]
        at += len(scene.pieces)
        _mark(spoken[scene.start : scene.start + len(scene.active)], scene, owners)
    return _numbered(_runs(spoken))


def _mark(spoken: np.ndarray, scene: Scene, owners: np.ndarray) -> None:
    """Write into `spoken` (F, K) who speaks in a scene: each voice as its nearest piece."""
    if not len(owners):
        return
    firsts, lasts, voices = np.array([(p.first, p.last - 1, p.voice) for p in scene.pieces]).T
    frames = np.arange(len(scene.active))[:, None]
    away = np.maximum(firsts - frames, frames - lasts)  # (F, P)
    alone = scene.active.sum(axis=1) == 1
    for voice in range(LOCAL):
        nearest = np.where(voices == voice, away, away + FRAMES).argmin(axis=1)
        known = np.flatnonzero(scene.active[:, voice] & (alone | (voices[nearest] == voice)))
        spoken[known, owners[nearest[known]]] = True


def _runs(spoken: np.ndarray) -> Iterator[SpeakerTurn]:
    """(F, K) bool → each person's turns, small gaps filled."""
    for person in range(spoken.shape[1]):
        times = (_stretches(spoken[:, person]) * HOP + CENTER - HOP / 2) / RATE
        held: list[float] = []
        for start, end in times:
            if held and start - held[1] < SHORTEST_GAP:
                held[1] = end
                continue
            if held and held[1] - held[0] >= SHORTEST_TURN:
                yield SpeakerTurn(person, *held)
            held = [float(start), float(end)]
        if held and held[1] - held[0] >= SHORTEST_TURN:
            yield SpeakerTurn(person, *held)


def _numbered(turns: Iterable[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """In the order of time, people counted as they appear."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end))
    names = {person: number for number, person in enumerate(dict.fromkeys(t.speaker for t in ordered))}
    return tuple(SpeakerTurn(names[turn.speaker], turn.start, turn.end) for turn in ordered)
