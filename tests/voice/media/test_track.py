"""The sound track of a file: its times are those of the file, and what is lost of it is told."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import media_files
from fakes.media_files import encode_tones, tone

from voice import audio
from voice.errors import AudioError

RATE = 16_000
TIMED = ["mp4", "m4a", "mkv", "webm", "ts", "flv"]  # containers that can say when sound is to be heard


def read(content: bytes, name: str = "the file") -> np.ndarray:
    """What is read at 16 kHz, with no warning."""
    file = io.BytesIO(content)
    file.name = name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return audio.read(file, RATE).samples


def loud(samples: np.ndarray) -> list[tuple[float, float]]:
    """(start, end) in seconds of stretches of tone, to 50 ms."""
    step = RATE // 20
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    flags = np.pad(np.sqrt((whole**2).mean(axis=1)) > 0.1, 1).astype(int)
    edges = np.flatnonzero(np.diff(flags)) / 20
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def assert_loud(samples: np.ndarray, expected: list[tuple[float, float]]) -> None:
    found = loud(samples)
    assert len(found) == len(expected), found
    np.testing.assert_allclose(found, expected, atol=0.16)


@pytest.mark.parametrize("form", TIMED)
def test_holes_in_the_times_become_silence(form: str) -> None:
    samples = read(encode_tones(form, [(0, 1.0), (13.0, 1.0), (20.0, 1.0)]))
    assert_loud(samples, [(0, 1), (13, 14), (20, 21)])
    assert len(samples) / RATE == pytest.approx(21.0, abs=0.1)


def test_what_an_edit_cut_off_does_not_count(tmp_path: Path) -> None:
    """As where a video was cut without encoding it anew: its picture still begins at an earlier key frame."""
    whole = io.BytesIO(encode_tones("mp4", [(0, 6.0)]))
    path = tmp_path / "cut.mp4"
    with av.open(whole) as source, av.open(str(path), "w") as out:
        streams = {each: out.add_stream_from_template(each) for each in source.streams}
        for packet in source.demux():
            early = packet.stream.type == "audio" and packet.pts is not None and packet.pts < 2.5 * RATE
            if packet.dts is None or early:
                continue
            start = round(2.5 / packet.time_base)
            packet.pts, packet.dts = packet.pts - start, packet.dts - start
            packet.stream = streams[packet.stream]
            out.mux(packet)
    assert len(read(path.read_bytes())) / RATE == pytest.approx(3.5, abs=0.1)


@pytest.mark.parametrize("form", ["mp4", "mkv", "ts", "flv"])
def test_sound_that_begins_after_the_picture_keeps_the_times_of_the_video(form: str) -> None:
    assert_loud(read(encode_tones(form, [(5.0, 1.0)], picture=8.0)), [(5, 6)])


def change_times(flv: bytes, change: Callable[[int], int]) -> bytes:
    """An FLV file with the times of its sound, in milliseconds, changed."""
    made, place = bytearray(flv), 13
    while place + 11 <= len(made):
        size, time = int.from_bytes(made[place + 1 : place + 4]), int.from_bytes(made[place + 4 : place + 7])
        if made[place] == 8:
            made[place + 4 : place + 7] = change(time).to_bytes(3)
        place += 11 + size + 4
    return bytes(made)


def test_overlaps_are_dropped() -> None:
    content = change_times(encode_tones("flv", [(0, 6.0)]), lambda time: time if time < 3000 else time - 700)
    assert len(read(content)) / RATE == pytest.approx(5.3, abs=0.08)


def test_a_clock_that_was_set_anew_loses_nothing() -> None:
    content = change_times(
        encode_tones("flv", [(0, 30.0)]), lambda time: time if time < 20_000 else time - 12_000
    )
    assert len(read(content)) / RATE == pytest.approx(30.0, abs=0.1)


def test_a_clock_that_stands_still_loses_nothing() -> None:
    content = change_times(encode_tones("flv", [(0, 6.0)]), lambda time: 0)
    assert len(read(content)) / RATE == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("wrong", [0, 60_000, 9_000_000])
def test_a_single_wrong_time_moves_nothing(wrong: int) -> None:
    content = change_times(
        encode_tones("flv", [(0, 6.0)]), lambda time: wrong if 3000 <= time < 3023 else time
    )
    assert_loud(read(content), [(0, 6)])


def test_times_that_are_a_little_off_make_no_holes() -> None:
    content = change_times(encode_tones("flv", [(0, 6.0)]), lambda time: time + time // 23 % 3 * 15)
    samples = read(content)
    assert_loud(samples, [(0, 6)])
    assert len(samples) / RATE == pytest.approx(6.0, abs=0.1)


def test_sound_that_comes_late_for_a_while_is_all_kept() -> None:
    content = change_times(encode_tones("flv", [(0, 6.0)]), lambda time: time + 80 * (2000 <= time < 4000))
    assert 6.0 <= len(read(content)) / RATE <= 6.2


@pytest.mark.parametrize("form", ["opus.ogg", "vorbis.ogg", "mp3", "aac", "ts", "mkv"])
def test_files_put_one_behind_the_other_are_read_to_the_end(form: str) -> None:
    joined = encode_tones(form, [(0, 1.0)]) + encode_tones(form, [(0, 3.0)])
    assert len(read(joined)) / RATE == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize("others", [{"form": "vorbis.ogg"}, {"form": "vorbis.ogg", "rate": 44_100}])
def test_ogg_files_of_other_codecs_and_rates_are_read_behind_the_first(others: dict) -> None:
    first = encode_tones("opus.ogg", [(0, 1.0)])
    second = encode_tones(parts=[(0, 2.0)], **others)
    for joined in (first + second, second + first, first + encode_tones("vorbis.ogg", [(0, 1.0)]) + second):
        whole = 4.0 if len(joined) > len(first + second) else 3.0
        assert len(read(joined)) / RATE == pytest.approx(whole, abs=0.1)


def test_junk_behind_an_ogg_file_costs_nothing() -> None:
    joined = encode_tones("opus.ogg", [(0, 1.0)]) + b"OggS\0\2" + bytes(5000)
    with pytest.warns(UserWarning, match="breaks off after 1.0 s"):
        assert audio.read(io.BytesIO(joined)).duration >= 0.95


@pytest.mark.parametrize("hours", [24, 1000])
def test_a_time_that_no_recording_has_is_told_and_not_waited_for(hours: int) -> None:
    content = encode_tones("mkv", [(hours * 3600, 0.5)], picture=0.2)
    with pytest.warns(UserWarning, match=f"{hours}.0 hours without sound are left out") as told:
        samples = audio.read(io.BytesIO(content), RATE).samples
    assert len(samples) / RATE == pytest.approx(0.5, abs=0.1) and len(told) == 1


def test_hours_of_silence_come_in_blocks() -> None:
    content = encode_tones("mkv", [(4 * 3600, 0.5)], picture=0.2)
    seconds = [len(block) / RATE for block in audio.blocks(io.BytesIO(content), RATE)]
    assert max(seconds) == 30.0 and sum(seconds) == pytest.approx(4 * 3600 + 0.5, abs=0.1)


def test_integers_of_64_bits_are_sound() -> None:
    whole = (tone(1.0) * 2.0**62).astype("<i8").tobytes()
    np.testing.assert_allclose(read(media_files.wav(RATE, 1, 64, whole)), tone(1.0) / 2, atol=0.001)


@pytest.mark.parametrize("channels", [2, 6, 64])
@pytest.mark.parametrize("bits", [8, 16, 24, 32, 64])
def test_channels_of_any_width_are_mixed(channels: int, bits: int) -> None:
    kind = {8: "u1", 16: "<i2", 24: "<i4", 32: "<i4", 64: "<i8"}[bits]
    level = 0x40 if bits == 8 else 1 << (bits - 2)  # half the full scale, on every channel
    samples = np.full(RATE * channels, level + (128 if bits == 8 else 0), kind)
    content = samples.view("u1").reshape(-1, 4)[:, :3].tobytes() if bits == 24 else samples.tobytes()
    np.testing.assert_allclose(read(media_files.wav(RATE, channels, bits, content)), 0.5, atol=0.01)


@pytest.mark.parametrize("layout", ["7.1", "hexadecagonal"])
def test_channels_in_planes_of_their_own_are_mixed(layout: str) -> None:
    held = io.BytesIO()
    with av.open(held, "w", format="wv") as out:
        stream = out.add_stream("wavpack", rate=RATE, layout=layout)
        channels = stream.codec_context.layout.nb_channels
        samples = np.repeat((tone(2.0) * 32767).astype(np.int16), channels)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout=layout)
        frame.sample_rate = RATE
        out.mux([*stream.encode(frame), *stream.encode(None)])
    np.testing.assert_allclose(read(held.getvalue()), tone(2.0), atol=0.01)  # in eight bits


def test_what_is_no_number_becomes_silence_with_a_warning() -> None:
    samples = tone(10.0)
    samples[40_000:56_000] = np.nan
    content = media_files.wav(RATE, 1, 32, samples.astype("<f4").tobytes(), kind=3)
    with pytest.warns(UserWarning, match=r"1\.. s of 10\.0 s of its sound are lost"):
        heard = audio.read(io.BytesIO(content)).samples
    assert len(heard) == 160_000 and np.isfinite(heard).all()


def test_a_rate_that_changes_on_the_way_keeps_the_length() -> None:
    joined = encode_tones("aac", [(0, 2.0)], rate=16_000) + encode_tones("aac", [(0, 2.0)], rate=44_100)
    assert len(read(joined)) / RATE == pytest.approx(4.0, abs=0.3)


# ---- The recordings that fell


@pytest.fixture(scope="module")
def cases() -> Path:
    beside = Path(__file__).resolve().parents[4] / "shared" / "cases"
    folder = Path(os.environ.get("VOICE_CASES") or beside) / "hearing"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set VOICE_CASES to the folder above theirs")
    return folder


@pytest.mark.parametrize(
    ("name", "seconds", "starts"),
    [
        ("hole-in-sound.mp4", 25.7, [0.0, 15.28]),
        ("silence-not-sent.webm", 47.6, [1.6, 13.2, 43.2]),
        ("sound-10s-of-60s.mp4", 10.45, [0.0]),
        ("quiet-start.aac", 23.9, [3.0]),
    ],
)
def test_recordings_of_phones_and_browsers_keep_their_times(
    name: str, seconds: float, starts: list[float], cases: Path
) -> None:
    samples = read((cases / name).read_bytes(), name)
    assert len(samples) / RATE == pytest.approx(seconds, abs=0.05)
    spoken = np.flatnonzero(np.abs(samples) > 0.02) / RATE
    for start in starts:
        assert np.abs(spoken - start).min() < 1.0
        assert not start or not ((spoken > start - 1.5) & (spoken < start - 0.1)).any()


def test_nothing_that_can_be_decoded_is_refused_and_nothing_else_is_taken() -> None:
    with pytest.raises(AudioError, match="the file holds no sound that can be used"):
        read(media_files.wav(RATE, 1, 16, b""))


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_tag_that_is_no_length_costs_nothing(digits: int) -> None:
    whole = io.BytesIO()
    with av.open(whole, "w", format="matroska") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
        stream.metadata["DURATION-eng"] = "9" * digits + ":00:00"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, RATE), np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert len(read(whole.getvalue())) == RATE
    assert audio.length(io.BytesIO(whole.getvalue())) == pytest.approx(1.0, abs=0.01)
