from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.picture import draw
from data.statistics import statistics, table
from voice.errors import VoiceError
from voice.manifest import Clip, write_manifest

RATE = 16000


def manifest(folder: Path, texts: list[str | None], samples: np.ndarray, **more) -> Path:
    clips = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.wav"
        soundfile.write(path, samples, RATE)
        clips.append(Clip(path, text, len(samples) / RATE, f"s{number % 2}", str(number), RATE, "en", more))
    write_manifest(folder / "all.jsonl", clips)
    return folder / "all.jsonl"


def speech_over_noise() -> np.ndarray:
    """A second of loud noise below 4 kHz and a second of noise 40 dB below it."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(RATE))
    spectrum[4000:] = 0
    loud = np.fft.irfft(spectrum)
    loud *= 0.1 / loud.std()
    fade = np.minimum(
        1.0, np.minimum(np.arange(RATE), np.arange(RATE)[::-1]) / 800
    )  # no click has a bandwidth
    return np.concatenate([fade * loud, fade * loud / 100])


def test_what_is_known_is_measured(tmp_path):
    texts = ["THE QUICK FOX", "THE 3 FOXES", None]
    found = statistics([manifest(tmp_path, texts, speech_over_noise(), transcribed_by="quick")])
    assert (found.rows, found.words, found.vocabulary, found.transcribed) == (3, 6, 5, 3)
    assert found.hours == pytest.approx(6 / 3600) and found.speakers == {"s0": 4.0, "s1": 2.0}
    assert all(each.level == pytest.approx(-20, abs=1.5) for each in found.facts)
    assert all(each.snr == pytest.approx(40, abs=2) for each in found.facts)
    assert all(each.bandwidth == pytest.approx(4000, abs=400) for each in found.facts)
    rows = dict(table(found))
    assert rows["in capitals"] == "100%" and rows["with figures"] == "50%"
    assert (
        "none of" in rows["English phonemes"]
        and "ʒ" in found.missing_phones
        and "k" not in found.missing_phones
    )
    assert rows["written by a recognizer"] == "3, to be corrected"


def test_a_sample_is_spread_over_all_rows_and_what_cannot_be_opened_is_counted(tmp_path):
    path = manifest(tmp_path, ["Yes."] * 10, speech_over_noise())
    assert len(statistics([path], sample=4).facts) == 4
    (tmp_path / "3.wav").write_text("no sound")
    with path.open("a") as file:
        file.write("{broken\n")
    found = statistics([path], sample=0)
    assert (len(found.facts), found.unreadable, found.unusable, found.rows) == (9, 1, 1, 10)
    rows = dict(table(found))
    assert (
        rows["recordings"] == "10, 1 rows cannot be read"
        and rows["measured"] == "9 recordings, 1 cannot be opened"
    )


def test_other_languages_have_letters_and_no_english_phonemes(tmp_path):
    path = manifest(tmp_path, ["Öl"], speech_over_noise())
    path.write_text(path.read_text("utf-8").replace('"language": "en"', '"language": "de"'), "utf-8")
    found = statistics([path])
    assert not found.phones and dict(table(found))["letters"] == "2 different ones"
    draw(found, tmp_path / "out.svg", "two $ signs $")
    assert (tmp_path / "out.svg").stat().st_size > 10_000


def test_a_picture_of_no_kind_is_an_error(tmp_path):
    found = statistics([manifest(tmp_path, ["Yes."], speech_over_noise())])
    with pytest.raises(VoiceError, match="name a file that ends in .png"):
        draw(dataclasses.replace(found, facts=()), tmp_path / "out.xyz", "title")
