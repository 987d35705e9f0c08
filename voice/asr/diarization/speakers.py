"""Speaker diarization: who speaks when in a recording.

A segmentation network (pyannote's segmentation-3.0; Plaquet and Bredin 2023) tells for ten seconds at a
time which of up to three voices speak in each frame; an embedding network (CAM++; Wang et al. 2023) turns
each two seconds of one voice into a vector; `clustering` finds which vectors are one person's. Nothing else
is kept of the sound: about four megabytes for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voice.asr.diarization.clustering import ClusteringOptions, cluster
from voice.errors import ModelDamaged
from voice.features import kaldi_log_mel
from voice.models.sessions import open_session

RATE = 16_000
SEGMENTATION_WINDOW = 10 * RATE  # samples that the segmentation network sees
FRAME_HOP = 270  # samples from one of its frames to the next
CENTER = 495  # sample in the middle of its first frame
FRAMES = 589  # of a window
STEP = 296 * FRAME_HOP  # samples from window to window: every moment is judged twice
LOCAL_VOICES = 3  # that can be told apart in a window
# Which of the three voices speak in each of the network's classes.
SPEAKING = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], bool)
EDGE = (FRAMES - STEP // FRAME_HOP) // 2  # frames of a window that its neighbors judge better
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
class VoiceEmbedding:
    """Frames [first, last) of a window in which `voice` speaks alone, as a unit `vector` (D,)."""

    first: int
    last: int
    voice: int
    vector: np.ndarray


@dataclass(frozen=True, eq=False)
class SegmentedWindow:
    """A part of the recording: `active` (F, 3) bool, which voices speak, from its frame `start` on."""

    start: int
    active: np.ndarray
    embeddings: tuple[VoiceEmbedding, ...]


class Diarizer:
    """The two networks. It holds no state; any number of recordings share it."""

    rate = RATE

    def __init__(
        self, segmentation: Any, embedding: Any, options: ClusteringOptions = ClusteringOptions()
    ) -> None:
        self._segmentation, self._embedding, self._options = segmentation, embedding, options

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> Diarizer:
        """Load segmentation.onnx and embedding.onnx from `folder`. Raises ModelDamaged."""
        names = ("segmentation.onnx", "embedding.onnx")
        return cls(*(_session(Path(folder) / name, threads) for name in names))

    def stream(self) -> DiarizationStream:
        """Begin a recording."""
        return DiarizationStream(self, self._options)

    def segment(self, samples: np.ndarray, number: int, last: bool) -> SegmentedWindow:
        """Segment window `number`, (T ≤ 160000,) samples at 16 kHz; its edges belong to its neighbors."""
        sound = np.pad(samples, (0, SEGMENTATION_WINDOW - len(samples)))[None, None].astype(np.float32)
        scores = self._segmentation.run(None, {self._segmentation.get_inputs()[0].name: sound})[0][0]
        active = SPEAKING[scores.argmax(axis=1)]  # (589, 3)
        first = 0 if number == 0 else EDGE
        end = min(FRAMES, (len(samples) - CENTER) // FRAME_HOP + 1) if last else EDGE + STEP // FRAME_HOP
        active = active[first : max(first, end)]
        mel = kaldi_log_mel(samples) if active.any() else np.zeros((0, 0), np.float32)
        embeddings = [
            VoiceEmbedding(
                begin, stop, voice, self._vector(mel[_mel_frame(first + begin) : _mel_frame(first + stop)])
            )
            for begin, stop, voice in _single_voices(active)
        ]
        return SegmentedWindow(number * (STEP // FRAME_HOP) + first, active, tuple(embeddings))

    def _vector(self, mel: np.ndarray) -> np.ndarray:
        """Embed (N, 80) frames of one voice as a vector (D,) of length one."""
        name = self._embedding.get_inputs()[0].name
        vector: np.ndarray = self._embedding.run(None, {name: (mel - mel.mean(axis=0))[None]})[0][0]
        unit: np.ndarray = vector / np.linalg.norm(vector)
        return unit


def _mel_frame(frame: int) -> int:
    """Return the frame of the spectrum nearest to a frame of the segmentation network."""
    return max(0, round((frame * FRAME_HOP + CENTER - MEL_CENTER) / MEL_HOP))


def _single_voices(active: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield where one voice of `active` (F, 3) speaks alone: (first, end, voice), none long or very short."""
    alone = active & (active.sum(axis=1, keepdims=True) == 1)
    for voice in range(LOCAL_VOICES):
        for first, end in _true_spans(alone[:, voice]):
            length = (end - first) * FRAME_HOP / RATE
            if length >= SHORTEST_PIECE:
                cuts = np.rint(np.linspace(first, end, int(np.ceil(length / LONGEST_PIECE)) + 1)).astype(int)
                yield from ((int(a), int(b), voice) for a, b in zip(cuts, cuts[1:], strict=False))


def _true_spans(flags: np.ndarray) -> np.ndarray:
    """Return the spans (N, 2) in which (F,) bool is true: first and one past the last."""
    return np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)


def _session(path: Path, threads: int | None) -> Any:
    """Open a network. Raises ModelDamaged."""
    if not path.is_file():
        raise ModelDamaged(f"{path} is missing; install voice again")
    return open_session(path, threads=threads or 1)


class DiarizationStream:
    """One recording: `feed` its sound as it arrives, then ask for the `turns`."""

    def __init__(self, diarizer: Diarizer, options: ClusteringOptions = ClusteringOptions()) -> None:
        self._diarizer, self._options = diarizer, options
        self._held = np.zeros(0, np.float32)
        self._windows: list[SegmentedWindow] = []
        self._samples = 0

    def through(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the same blocks, and `feed` each of them."""
        for block in blocks:
            self.feed(block)
            yield block

    def feed(self, samples: np.ndarray) -> None:
        """Take the next (T,) samples at 16 kHz."""
        self._samples += len(samples)
        self._held = np.concatenate((self._held, samples))
        while len(self._held) >= SEGMENTATION_WINDOW:
            window = self._held[:SEGMENTATION_WINDOW]
            self._windows.append(self._diarizer.segment(window, len(self._windows), last=False))
            self._held = self._held[STEP:]

    def turns(self, count: int | None = None) -> tuple[SpeakerTurn, ...]:
        """Return who spoke when, of `count` people (None: detect how many), in the order of time."""
        return _turns(self.windows(), self._options, count)

    def windows(self) -> list[SegmentedWindow]:
        """Return all windows so far, and the one under way as if the recording ended now."""
        rest = [self._diarizer.segment(self._held, len(self._windows), last=True)]
        return self._windows + (rest if len(self._held) > MEL_CENTER * 2 else [])


def _turns(
    windows: Sequence[SegmentedWindow], options: ClusteringOptions, count: int | None
) -> tuple[SpeakerTurn, ...]:
    """Cluster the embeddings of all windows, and return the turns of the people found."""
    embeddings = [each for window in windows for each in window.embeddings]
    if not embeddings:
        return ()
    vectors = np.stack([each.vector for each in embeddings])
    durations = np.array([each.last - each.first for each in embeddings]) * FRAME_HOP / RATE
    labels = cluster(vectors, durations, options, count)
    spoken = np.zeros((windows[-1].start + len(windows[-1].active), labels.max() + 1), bool)
    at = 0
    for window in windows:
        owners = labels[at : at + len(window.embeddings)]
        at += len(window.embeddings)
        _mark_speakers(spoken[window.start : window.start + len(window.active)], window, owners)
    return _number_speakers(_runs(spoken))


def _mark_speakers(spoken: np.ndarray, window: SegmentedWindow, owners: np.ndarray) -> None:
    """Write into `spoken` (F, K) who speaks in a window: each voice as in its nearest embedding."""
    if not len(owners):
        return
    firsts, lasts, voices = np.array(
        [(each.first, each.last - 1, each.voice) for each in window.embeddings]
    ).T
    frames = np.arange(len(window.active))[:, None]
    away = np.maximum(firsts - frames, frames - lasts)  # (F, P)
    alone = window.active.sum(axis=1) == 1
    for voice in range(LOCAL_VOICES):
        nearest = np.where(voices == voice, away, away + FRAMES).argmin(axis=1)
        known = np.flatnonzero(window.active[:, voice] & (alone | (voices[nearest] == voice)))
        spoken[known, owners[nearest[known]]] = True


def _runs(spoken: np.ndarray) -> Iterator[SpeakerTurn]:
    """Yield the turns of each person in (F, K) bool, with small gaps filled."""
    for person in range(spoken.shape[1]):
        times = (_true_spans(spoken[:, person]) * FRAME_HOP + CENTER - FRAME_HOP / 2) / RATE
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


def _number_speakers(turns: Iterable[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """Sort turns by time, and count people as they appear."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end))
    names = {person: number for number, person in enumerate(dict.fromkeys(t.speaker for t in ordered))}
    return tuple(SpeakerTurn(names[turn.speaker], turn.start, turn.end) for turn in ordered)
