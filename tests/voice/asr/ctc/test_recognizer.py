from __future__ import annotations

import numpy as np
import pytest

from voice.abilities import BatchRecognizer, MultilingualRecognizer
from voice.asr.ctc.recognizer import FEATURE_WIDTHS, WHOLE, CTCOptions, OnnxCTCRecognizer, features_of
from voice.asr.ctc.units import Units
from voice.errors import AudioError, ModelMissing, VoiceError
from voice.types import Audio

UNITS = Units(("▁", "a", "b"))
RATE = 16_000


class Session:
    """An encoder that writes "ab b" in any sound of 1 s or more, a frame of 0.1 s for ten of features."""

    def __init__(self) -> None:
        self.chunks: list[int] = []
        self.shapes: list[tuple[int, ...]] = []

    def run(self, names: list[str], given: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        assert names == ["log_probs", "out_frames"]
        self.chunks.append(int(given["chunk"]))
        self.shapes.append(given["features"].shape)
        frames = given["frames"] // 10
        path = np.zeros((len(frames), max(frames.max(), 10)), int)
        path[:, [2, 4, 6, 8]] = 2, 3, 1, 3
        log_probs = np.log(np.full((*path.shape, 4), 0.02) + 0.92 * np.eye(4)[path])
        return log_probs.astype(np.float32), frames


def recognizer(**options) -> tuple[OnnxCTCRecognizer, Session]:
    session = Session()
    return OnnxCTCRecognizer(session, UNITS, CTCOptions(frame=0.1, lead=0.0, **options), "en"), session


def noise(seconds: float, rate: int = RATE) -> Audio:
    return Audio(np.random.default_rng(0).normal(0, 0.1, round(seconds * rate)).astype(np.float32), rate)


def test_words_have_the_times_of_their_frames():
    transcript = recognizer()[0].transcribe(noise(1.03))
    assert transcript.text == "ab b" and transcript.language == "en"
    first, second = transcript.words
    assert (first.start, first.end) == pytest.approx((0.2, 0.5)) and second.start == pytest.approx(0.8)
    assert transcript.duration == pytest.approx(1.03) and first.confidence == pytest.approx(0.94, abs=0.01)


def test_a_batch_equals_its_sounds_one_by_one():
    whole, _ = recognizer()
    sounds = [noise(1.2), noise(2.0)]
    together = whole.transcribe_batch(sounds, language=None, hotwords=(), task="transcribe")
    assert together == [whole.transcribe(each) for each in sounds]
    assert whole.transcribe_batch([], language=None, hotwords=(), task="transcribe") == []


def test_sound_at_another_rate_is_resampled():
    found, session = recognizer()
    assert found.transcribe(noise(1.03, 24_000)).text == "ab b"
    assert session.shapes[0][1] == 1 + (16_480 - 400) // 160


def test_hardly_any_sound_is_no_error():
    found, session = recognizer()
    assert found.transcribe(Audio(np.zeros(3, np.float32), RATE)).segments == ()
    assert session.shapes[0][1] > 1


def test_more_than_thirty_seconds_are_refused():
    with pytest.raises(AudioError, match="one call takes 30 s"):
        recognizer()[0].transcribe(noise(30.5))


def test_it_does_not_translate():
    with pytest.raises(VoiceError, match="does not translate"):
        recognizer()[0].transcribe_batch([noise(1.0)], language=None, hotwords=(), task="translate")


@pytest.mark.parametrize(("seconds", "frames"), [(0.0, WHOLE), (0.5, 5)])
def test_a_chunk_is_counted_in_frames(seconds, frames):
    found, session = recognizer(chunk=seconds)
    found.transcribe(noise(1.0))
    assert session.chunks == [frames]


def test_it_is_what_the_pipeline_asks_for():
    found, _ = recognizer()
    assert isinstance(found, BatchRecognizer) and isinstance(found, MultilingualRecognizer)
    assert found.languages == ("en",) and found.rate == RATE


@pytest.mark.parametrize("kind", FEATURE_WIDTHS)
@pytest.mark.parametrize("count", [1, 700, 16_000])
def test_features_have_their_width_and_at_least_a_frame(kind, count):
    features = features_of(np.ones(count, np.float32) * 0.1, kind)
    assert features.shape[1] == FEATURE_WIDTHS[kind] and len(features) > 0
    assert features.dtype == np.float32 and np.isfinite(features).all()


def test_kaldi_features_of_a_longer_sound_begin_alike():
    sound = noise(1.0).samples
    short, long = features_of(sound[:8000], "kaldi"), features_of(sound, "kaldi")
    np.testing.assert_array_equal(short, long[: len(short)])


def test_a_folder_without_an_encoder_is_named(tmp_path):
    with pytest.raises(ModelMissing, match="encoder.onnx is missing"):
        OnnxCTCRecognizer.open(tmp_path, CTCOptions(), "en")
