"""Our own voices at run time: lengths, controls, word times, wrong input. The networks are fakes."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from voice.errors import ModelDamaged, ModelMissing
from voice.models.card import Card, write_card
from voice.text.alphabet import SYMBOLS
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.text.reading import SpokenSentence, SpokenWord
from voice.tts.acoustic import Acoustic, SpeakerStats
from voice.tts.engine import EARLIER
from voice.tts.frames import (
    AFTER,
    BEFORE,
    EDGE,
    FEATURES,
    LONGEST_TOKEN,
    LOUDNESS,
    PITCH,
    SHORTEST_PAUSE,
    edges,
    frame_features,
    steady,
    token_frames,
    whole_frames,
)
from voice.tts.prosody_targets import ProsodyTargets
from voice.types import Controls

HOP, RATE = 300, 24000
STATS = SpeakerStats(pitch_mean=5.0, pitch_spread=0.2, energy_mean=-1.0, energy_spread=2.0)
FRAMES = 6.0  # that the fake gives each token
WIDTH = 4


class FakeText:
    """Tokens are as long as each other; pitch rises from one to the next, by the speaker's number."""

    def run(self, _, given):
        count = given["tokens"].shape[1]
        rise = np.arange(count, dtype=np.float32)[None] * (given["speaker"][0] + 1) * 0.1
        return [
            given["tokens"][..., None].astype(np.float32),
            np.repeat(given["tokens"][..., None].astype(np.float32), WIDTH, 2),
            np.full((1, count), np.log1p(FRAMES), np.float32),
            rise,
            np.zeros((1, count), np.float32),
        ]


class FakeCurves:
    """Pitch and loudness are those of the tokens; all but the first symbols of the table are voiced."""

    def run(self, _, given):
        features = given["features"]
        assert features.shape[2] == FEATURES
        return [np.stack([features[..., PITCH], features[..., LOUDNESS], given["hidden"][..., 0] - 13.5], 2)]


def fake_decoder(frames, f0):
    assert frames.shape == (WIDTH + 1, len(f0))
    assert (frames[-1] == -1.0).all()  # its tokens are of average loudness
    return np.repeat(np.where(f0 > 0, 0.5, 0.0), HOP).astype(np.float32)


def voice(speaker=0, stats=STATS):
    return Acoustic(FakeText(), FakeCurves(), fake_decoder, speaker, stats)


def reading(text="So do we, Ann."):
    (found,) = read_aloud(text, ENGLISH)
    return found


def test_lengths_keep_every_frame_in_order():
    durations = np.array([3, 0, 5, 1, 0, 2])
    token, features = frame_features(durations, np.arange(6.0), np.zeros(6))
    assert np.array_equal(np.bincount(token, minlength=6), durations) and (np.diff(token) >= 0).all()
    assert features.shape == (11, FEATURES) and np.isfinite(features).all()
    assert np.allclose(features[3:8, 0], (np.arange(5) + 0.5) / 5)


def test_pitch_runs_through_the_middles_of_the_tokens():
    _, features = frame_features(np.array([3, 0, 3]), np.array([1.0, 99.0, 2.0]), np.zeros(3))
    pitch = features[:, FEATURES - 2]
    assert pitch[1] == 1.0 and pitch[4] == 2.0 and (np.diff(pitch) >= 0).all()


def test_whole_frames_never_drift():
    lengths = np.random.default_rng(0).uniform(0, 9, 200)
    found = whole_frames(lengths)
    assert found.dtype == np.int64 and (found >= 0).all()
    assert np.abs(np.cumsum(found) - np.cumsum(lengths)).max() <= 0.5
    assert (whole_frames(np.ones(7)) == 1).all()


def test_marks_take_no_time_and_pauses_none_or_enough():
    symbols, lengths = "_ˈA bˌIː, A_", np.array([40, 9, 5, 1.2, 0.1, 9, 8, 9, 1.8, 20, 900, 2.0])
    found = dict(enumerate(token_frames(symbols, lengths)))
    assert (found[0], found[11]) == (EDGE, EDGE)
    assert found[1] == found[5] == found[7] == 0
    assert found[3] == 0 and found[8] == SHORTEST_PAUSE and found[9] == 20
    assert found[4] >= 1 and found[10] == LONGEST_TOKEN


def test_words_lie_where_their_phonemes_are():
    speech = voice().render(reading())
    assert [word.text for word in speech.words] == ["So", "do", "we,", "Ann."]
    times = [time for word in speech.words for time in (word.start, word.end)]
    assert times == sorted(times) and times[0] == pytest.approx(EDGE * HOP / RATE - EARLIER)
    assert speech.audio.rate == RATE and len(speech.audio.samples) % HOP == 0
    assert times[-1] <= speech.audio.duration - EDGE * HOP / RATE
    phonemes = len(reading().phonemes.split()[0].replace("ˈ", "").replace("ˌ", ""))
    assert speech.words[0].end - speech.words[0].start == pytest.approx(phonemes * FRAMES * HOP / RATE)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_scales_all_but_the_edges(speed):
    edges = 2 * EDGE * HOP / RATE
    inner = [voice().render(reading(), Controls(speed=s)).audio.duration - edges for s in (1, speed)]
    assert inner[1] == pytest.approx(inner[0] / speed, rel=0.02)


def test_pace_and_liveliness_change_what_is_predicted():
    symbols = "_sO_"
    lively = voice(stats=replace(STATS, liveliness=2.0)).draw(symbols)[2]
    slow = voice(stats=replace(STATS, pace=2.0)).draw(symbols)[0]
    durations, _, plain = voice().draw(symbols)
    voiced = plain > 0
    assert np.allclose(np.log(lively[voiced]) - 5.0, 2 * (np.log(plain[voiced]) - 5.0), atol=1e-4)
    assert np.array_equal(slow[1:3], 2 * durations[1:3])


def test_voicing_does_not_flicker():
    assert list(steady(np.array([-1, 2, -1, -1, 3, 4, -5, 6, 7.0])) > 0) == [False] * 4 + [True] * 5


def test_pitch_that_is_asked_for_moves_f0_by_exactly_that():
    (plain, higher) = (voice().render(reading(), Controls(pitch=p)) for p in (0.0, 3.0))
    symbols = "_sO_"
    asked = ProsodyTargets(np.ones(4), np.full(4, 3.0), np.zeros(4), np.full(4, np.nan))
    (_, _, low), (_, _, high) = voice().draw(symbols), voice().draw(symbols, asked)
    assert np.allclose(high[low > 0] / low[low > 0], 2 ** (3 / 12), rtol=1e-5) and (high[low == 0] == 0).all()
    assert len(plain.audio.samples) == len(higher.audio.samples)


def test_both_ends_are_silent_and_no_speech_is_lost():
    durations = np.array([EDGE, 5, 7, EDGE])
    whole = edges(durations, 0, int(durations.sum()) * HOP)
    assert not whole[: (EDGE - BEFORE) * HOP].any() and not whole[-(EDGE - AFTER) * HOP :].any()
    assert (whole[(EDGE - BEFORE + 1) * HOP : (EDGE + 12 + AFTER - 1) * HOP] == 1).all()
    assert np.array_equal(edges(durations, 1000, 3000), whole[1000:4000])


def test_speakers_differ():
    assert not np.array_equal(voice(0).draw("_sO_")[2], voice(1).draw("_sO_")[2])


def test_speaks_the_same_each_time():
    first, second = (voice().render(reading()).audio.samples for _ in range(2))
    assert np.array_equal(first, second)


def test_a_phoneme_that_the_voice_does_not_know_is_named_and_left_out():
    words = (SpokenWord("blau", 0, 4, "blau"), SpokenWord("øø", 5, 7, "øø"))
    odd = SpokenSentence("blau øø", "blW øø", (0, 0, 0, -1, 1, 1), words)
    with pytest.warns(UserWarning, match="ø"):
        speech = voice().render(odd)
    assert speech.words[0].end > speech.words[0].start and speech.words[1].end == speech.words[1].start
    with pytest.warns(UserWarning, match="ø"):
        nothing = voice().render(SpokenSentence("øø", "øø", (0, 0), words[1:]))
    assert nothing.audio.duration == pytest.approx(2 * EDGE * HOP / RATE)


def test_all_phonemes_of_the_reader_are_known():
    text = "Judge Zhao's chubby, vexed thrush \"whizzed\" (oh!) by; you'd boil milk: king… why — now?"
    assert all(c in SYMBOLS for found in read_aloud(text, ENGLISH) for c in found.phonemes)


def card(speakers):
    options = {} if speakers is None else {"speakers": speakers}
    return Card("odd", "voice", "acoustic", RATE, "en", "Apache-2.0", options=options)


def test_says_what_a_folder_lacks(tmp_path):
    with pytest.raises(ModelMissing, match="model.toml"):
        Acoustic.open(tmp_path)
    write_card(tmp_path, card(None))
    with pytest.raises(ModelDamaged, match="speakers"):
        Acoustic.open(tmp_path)
    write_card(tmp_path, card({"ann": asdict(STATS)}))
    with pytest.raises(ModelMissing, match="no speaker bob; it has ann"):
        Acoustic.open(tmp_path, speaker="bob")
    with pytest.raises(ModelMissing, match="text.onnx"):
        Acoustic.open(tmp_path)
    (tmp_path / "text.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelDamaged, match="text.onnx"):
        Acoustic.open(tmp_path)
