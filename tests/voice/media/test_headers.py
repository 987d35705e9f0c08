"""How long a track should be: true headers are held to, guesses are not, and a loss from 5 % on is told."""

from __future__ import annotations

import io
import re
import warnings
from functools import cache

import numpy as np
import pytest
import soundfile
from fakes import media_files
from fakes.media_files import FORMS, encode_tones, tone

from voice import audio

RATE = 16_000
BARE = ["amr", "aac", "ts"]  # without any header that says how long they are
COARSE = ["wv", "vorbis.ogg"]  # in pieces of five seconds, as they are written here
INDEXED = ["m4a", "mp4"]  # with an index at their end, without which nothing can be decoded


@cache
def twenty_seconds(form: str) -> bytes:
    return encode_tones(form, [(0, 20.0)])


def warnings_of(content: bytes, form: str) -> list[str]:
    """What is warned of when a file is read."""
    file = io.BytesIO(content)
    file.name = f"a recording.{form}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        audio.read(file, RATE)
    return [str(each.message) for each in caught]


def lost_seconds(warning: str) -> tuple[float, float]:
    """(seconds lost, of how many) as a warning says."""
    found = re.fullmatch(r"a recording\.\S+ is damaged: (\S+) s of (\S+) s of its sound are lost", warning)
    assert found, warning
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("form", FORMS)
def test_a_healthy_file_is_never_called_damaged(form: str) -> None:
    assert warnings_of(encode_tones(form, [(0, 5.0)]), form) == []


@pytest.mark.parametrize("form", ["mp4", "mkv", "ts", "flv", "avi"])
@pytest.mark.parametrize("start", [0.0, 18.0])
def test_little_sound_in_a_long_video_is_no_damage(form: str, start: float) -> None:
    if form == "avi" and start:
        pytest.skip("AVI cannot say that sound begins later")
    assert warnings_of(encode_tones(form, [(start, 2.0)], picture=20.0), form) == []


def test_mp3_files_put_one_behind_the_other_are_no_damage() -> None:
    joined = encode_tones("mp3", [(0, 5.0)], rate=24_000) + encode_tones("mp3", [(0, 5.0)], rate=48_000)
    assert warnings_of(joined, "mp3") == []


@pytest.mark.parametrize("share", [0.1, 0.45, 0.9])
@pytest.mark.parametrize(
    "form", [form for form in FORMS if form not in [*BARE, *INDEXED, *COARSE, "opus.ogg"]]
)
def test_a_file_that_breaks_off_says_how_much_is_lost(form: str, share: float) -> None:
    whole = twenty_seconds(form)
    (warning,) = warnings_of(whole[: round(len(whole) * (1 - share))], form)
    missing, of = lost_seconds(warning)
    assert missing / of == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "mkv", "au"])
def test_a_hundredth_is_not_worth_a_warning(form: str) -> None:
    whole = twenty_seconds(form)
    assert warnings_of(whole[: round(len(whole) * 0.985)], form) == []


def test_an_ogg_file_without_its_end_says_so() -> None:
    whole = encode_tones("opus.ogg", [(0, 10.0)])
    (warning,) = warnings_of(whole[: len(whole) // 2], "ogg")
    assert "breaks off after" in warning and "nothing tells how much" in warning


@pytest.mark.parametrize("form", ["mp3", "flac", "opus.ogg", "mkv", "webm", "aac", "ts", "mp4"])
def test_a_part_that_was_overwritten_is_lost(form: str) -> None:
    whole = twenty_seconds(form)
    start, size = len(whole) // 3, len(whole) // 5
    damaged = whole[:start] + bytes(size) + whole[start + size :]
    (warning,) = warnings_of(damaged, form)
    assert 2.4 < lost_seconds(warning)[0] < 9.0  # of what Matroska bundles, 5 s go with a part of it


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_length_that_a_recorder_could_not_know_is_no_promise(size: int) -> None:
    content = media_files.wav(RATE, 1, 16, (tone(2.0) * 32767).astype("<i2").tobytes(), size=size)
    assert warnings_of(content, "wav") == []
    assert audio.length(io.BytesIO(content)) in (0.0, 2.0)


def test_gsm_in_wav_is_whole() -> None:
    held = io.BytesIO()
    soundfile.write(held, tone(4.0, 8000), 8000, format="WAV", subtype="GSM610")
    assert warnings_of(held.getvalue(), "wav") == []


@pytest.mark.parametrize("form", ["aac", "mp3"])
def test_a_length_guessed_from_a_quiet_beginning_is_no_promise(form: str) -> None:
    quiet_start = _quiet_start(form)
    assert warnings_of(quiet_start, form) == []
    assert audio.length(io.BytesIO(quiet_start)) == 0.0
    assert audio.read(io.BytesIO(quiet_start), RATE).duration == pytest.approx(20.0, abs=0.3)


def _quiet_start(form: str) -> bytes:
    """Ten seconds of silence and ten of noise, in a variable bit rate that no header knows."""
    import av

    noise = np.random.default_rng(0).normal(0, 0.2, 24_000 * 10)
    samples = (np.clip(np.concatenate([np.zeros(24_000 * 10), noise]), -1, 1) * 32767).astype(np.int16)
    held = io.BytesIO()
    options = {"write_xing": "0"} if form == "mp3" else {}
    with av.open(held, "w", format={"aac": "adts"}.get(form, form), container_options=options) as out:
        stream = out.add_stream({"mp3": "libmp3lame"}.get(form, form), rate=24_000, layout="mono")
        if form == "mp3":
            stream.options = {"q": "4", "compression_level": "9"}
            stream.codec_context.qscale = True
            stream.codec_context.global_quality = 4 * 118
        for start in range(0, len(samples), 24_000):
            frame = av.AudioFrame.from_ndarray(
                samples[None, start : start + 24_000], format="s16", layout="mono"
            )
            frame.sample_rate = 24_000
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return held.getvalue()


@pytest.mark.parametrize("form", ["wav", "flac", "mp3", "m4a", "mkv", "opus.ogg"])
def test_the_length_is_that_of_the_sound_track(form: str) -> None:
    assert audio.length(io.BytesIO(encode_tones(form, [(0, 5.0)]))) == pytest.approx(5.0, abs=0.1)


def test_the_length_of_a_video_is_that_of_its_sound() -> None:
    for form in ("mp4", "mkv", "ts"):
        content = encode_tones(form, [(5.0, 2.0)], picture=20.0)
        assert audio.length(io.BytesIO(content)) == pytest.approx(7.0, abs=0.15)
