from __future__ import annotations

import io

import numpy as np
import pytest

from voice.asr.whisper.end_of_turn import FILE_NAME, EndOfTurnHead, average_stretches
from voice.errors import ModelDamaged
from voice.types import Audio


class FrameNumbers:
    """An encoder whose output in each frame is the number of the frame; it keeps its input."""

    def __init__(self) -> None:
        self.inputs: list[Audio] = []

    def encode(self, speech: Audio) -> np.ndarray:
        self.inputs.append(speech)
        frames = round(speech.duration / 0.02)
        return np.repeat(np.arange(frames, dtype=np.float32)[:, None], 3, axis=1)


def speech(seconds: float) -> Audio:
    return Audio(np.ones(round(16_000 * seconds), np.float32), 16_000)


def test_stretches_are_counted_back_from_the_last_sound() -> None:
    found = average_stretches(speech(3.0), FrameNumbers().encode)  # 150 frames
    assert found.shape == (6, 3)
    assert found[:, 0].tolist() == [74.5, 112.0, 131.0, 141.0, 147.0, 152.0]


def test_the_encoder_gets_the_last_seconds_and_silence_after_them() -> None:
    encoder = FrameNumbers()
    average_stretches(speech(9.0), encoder.encode)
    assert encoder.inputs[0].duration == pytest.approx(4.1)
    assert not encoder.inputs[0].samples[-1600:].any()


def test_a_short_word_has_all_stretches() -> None:
    assert np.isfinite(average_stretches(speech(0.01), FrameNumbers().encode)).all()


def test_the_probability_rises_with_what_speaks_for_an_end() -> None:
    head = EndOfTurnHead(np.eye(6, 3), -1.0)
    assert head(np.zeros((6, 3))) == pytest.approx(0.2689, abs=1e-3)
    assert head(np.ones((6, 3))) > 0.8


def test_a_folder_without_a_layer_has_none_and_a_broken_one_says_so(tmp_path) -> None:
    assert EndOfTurnHead.find(tmp_path) is None
    (tmp_path / FILE_NAME).write_bytes(b"nothing")
    with pytest.raises(ModelDamaged, match="fetch"):
        EndOfTurnHead.find(tmp_path)


def npz_bytes(**arrays: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    return held.getvalue()


LAYER = npz_bytes(weights=np.zeros((6, 3)), bias=np.zeros(()))


@pytest.mark.parametrize(
    "content",
    [
        b"", LAYER[:200], npz_bytes(weights=np.zeros((6, 3)), bias=np.zeros(3)),
        LAYER.replace(b"\x08\0\0\0", b"\x63\0\0\0"),  # packed in a way that nobody knows
        npz_bytes(weights=np.zeros(1_000_000), bias=np.zeros(())),  # a thousand times as large as its file
    ],
)  # fmt: skip
def test_a_file_of_a_stranger_is_damaged_and_nothing_worse(tmp_path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(LAYER)
    assert EndOfTurnHead.find(tmp_path) is not None
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ModelDamaged, match="fetch"):
        EndOfTurnHead.find(tmp_path)
