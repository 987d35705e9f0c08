from __future__ import annotations

import numpy as np
import pytest

from voice.serve.realtime.protocol.audio_formats import FORMATS, PCM, InputDecoder, encode_audio, find_format
from voice.types import Audio

# Values of ITU-T G.711, tables 1 and 2, scaled to 16 bits: the code and the level it stands for.
KNOWN = {
    "audio/pcmu": {0x00: -32124, 0x7F: 0, 0x80: 32124, 0xFF: 0, 0xF0: 120, 0x8F: 16764},
    "audio/pcma": {0x55: -8, 0xD5: 8, 0xAA: 32256, 0x2A: -32256, 0x80: 5504},
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_laws_are_those_of_the_standard(name):
    codes = bytes(KNOWN[name])
    levels = np.rint(find_format(name).decode(codes) * 32768).astype(int)
    assert levels.tolist() == list(KNOWN[name].values())


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_was_written_is_written_the_same_again(form):
    everything = bytes(range(256)) * form.width
    again = form.encode(form.decode(everything))
    assert np.array_equal(form.decode(again), form.decode(everything))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_is_too_loud_is_clipped(form):
    loud = form.decode(form.encode(np.array([7.0, -7.0], np.float32)))
    assert loud[0] > 0.97 and loud[1] < -0.97


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_frames_cut_anywhere_give_the_same_sound(form, rate):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4000).astype(np.float32)
    data = form.encode(noise)
    whole, parts = InputDecoder(form, rate), InputDecoder(form, rate)
    pieces = [parts(data[at : at + 37]) for at in range(0, len(data), 37)]
    together = np.concatenate(pieces)
    expected = whole(data)
    shorter = min(len(together), len(expected))
    assert abs(len(together) - len(expected)) < 200
    assert np.allclose(together[:shorter], expected[:shorter], atol=1e-6)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_tone_comes_through_within_twenty_milliseconds(form):
    seconds = np.arange(form.rate) / form.rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    heard = InputDecoder(form, 16_000)(form.encode(tone))
    assert 0 <= 16_000 - len(heard) < 320
    spectrum = np.abs(np.fft.rfft(heard[1000:15_000] * np.hanning(14_000)))
    assert abs(np.argmax(spectrum) * 16_000 / 14_000 - 440) < 1.2
    assert np.abs(heard[1000:15_000]).max() == pytest.approx(0.5, abs=0.02)


def test_speech_at_another_rate_is_brought_to_the_clients():
    speech = Audio(np.zeros(16_000, np.float32), 16_000)
    assert len(encode_audio(speech, PCM)) == 2 * 24_000
    assert len(encode_audio(speech, find_format("g711_ulaw"))) == 8_000
