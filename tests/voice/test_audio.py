from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from fakes import media_files

from voice import audio
from voice.errors import AudioError
from voice.media.container import RECORDINGS
from voice.media.formats import ENDINGS, Encoding
from voice.types import Audio


def tone(seconds: float, rate: int = 16000, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def loudest_hertz(sound: Audio) -> float:
    spectrum = np.abs(np.fft.rfft(sound.samples * np.hanning(len(sound.samples))))
    return float(np.argmax(spectrum) * sound.rate / len(sound.samples))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(2.0, 44100), 44100)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus", "m4a", "aac"])
@pytest.mark.parametrize("rate", [16000, 22050, 24000])
def test_what_is_written_in_each_format_is_read_back(tmp_path: Path, suffix: str, rate: int) -> None:
    path = tmp_path / f"tone.{suffix}"
    audio.write(path, Audio(tone(1.0, rate), rate))
    again = audio.read(path, rate)
    assert again.rate == rate
    assert again.duration == pytest.approx(1.0, abs=0.1)
    assert loudest_hertz(again) == pytest.approx(440, abs=3)
    assert np.abs(again.samples[rate // 4 : rate // 2]).max() == pytest.approx(0.5, abs=0.06)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus", "m4a"])
def test_sound_is_read_back_at_the_time_at_which_it_was_written(tmp_path: Path, suffix: str) -> None:
    rate, clicks = 24000, np.random.default_rng(0).normal(0, 0.2, 24000).astype(np.float32)
    sound = clicks * (np.arange(rate) > rate // 2)
    audio.write(tmp_path / f"a.{suffix}", Audio(sound, rate))
    again = audio.read(tmp_path / f"a.{suffix}", rate).samples
    size = 1 << 17
    alike = np.fft.irfft(np.fft.rfft(again, size) * np.conj(np.fft.rfft(sound, size)))
    assert int(np.argmax(alike)) in (0, 1, size - 1)


@pytest.mark.parametrize(
    ("suffix", "rate", "bit_rate"),
    [
        ("wav", 44_100, None), ("flac", 48_000, None), ("mp3", 44_100, 192), ("opus", 48_000, 24),
        ("m4a", 48_000, 160),
    ],
)  # fmt: skip
def test_a_file_has_the_rate_and_the_bit_rate_that_are_asked_for(tmp_path, suffix, rate, bit_rate) -> None:
    path = tmp_path / f"noise.{suffix}"
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * 24_000).astype(np.float32)
    sound = noise + tone(4.0, 24_000)
    audio.write(path, Audio(sound, 24_000), rate=rate, bit_rate=bit_rate)
    again = audio.read(path)
    assert again.rate == rate and again.duration == pytest.approx(4.0, abs=0.1)
    assert loudest_hertz(again) == pytest.approx(440, abs=3)
    if bit_rate:
        assert path.stat().st_size * 8 / 4000 == pytest.approx(bit_rate, rel=0.2)


@pytest.mark.parametrize(
    ("form", "encoding", "reason"),
    [
        ("opus", Encoding(44_100), "opus cannot have 44100 Hz; it takes 8000, 12000, 16000, 24000, 48000"),
        ("wav", Encoding(1), "wav cannot have 1 Hz; it takes 8000 to 192000"),
        ("wav", Encoding(bit_rate=96), "wav has no bit rate"),
        ("mp3", Encoding(bit_rate=320), "mp3 at 24000 Hz takes 32 to 160 kbit/s, not 320"),
        ("m4a", Encoding(16_000, 128), "m4a at 16000 Hz takes 16 to 96 kbit/s"),
    ],
)
def test_what_a_format_has_not_is_refused_by_name(tmp_path, form, encoding, reason) -> None:
    with pytest.raises(AudioError, match=reason):
        audio.Writer(tmp_path / f"a.{form}", 24_000, encoding=encoding)
    assert not list(tmp_path.iterdir())


def test_lossless_formats_lose_nothing_but_the_sixteenth_bit(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac"):
        audio.write(tmp_path / name, Audio(tone(0.5), 16000))
        np.testing.assert_allclose(audio.read(tmp_path / name).samples, tone(0.5), atol=1e-4)


class Once(io.BytesIO):
    """A file that says it can be read again and cannot."""

    def seek(self, offset: int, whence: int = 0) -> int:
        raise io.UnsupportedOperation("seek")


def closed_file() -> io.BytesIO:
    file = io.BytesIO(b"RIFF")
    file.close()
    return file


@pytest.mark.parametrize(
    "file",
    [closed_file(), Once(b"RIFF"), io.StringIO("RIFF"), io.BytesIO()],
    ids=["closed", "no seek", "text", "empty"],
)
def test_what_cannot_be_read_has_no_length_and_is_an_error_to_read(file: io.IOBase) -> None:
    assert audio.length(file) == 0.0
    with pytest.raises(AudioError, match="the stream"):
        audio.read(file)


def test_the_length_of_an_open_file_leaves_it_at_its_beginning(recording: Path) -> None:
    with recording.open("rb") as file:
        file.seek(100)
        assert (audio.length(file), file.tell()) == (2.0, 0)


def test_what_is_written_is_a_recording_and_so_is_all_that_the_tests_have() -> None:
    assert {*ENDINGS} - {".pcm"} <= RECORDINGS  # which has no header
    assert {f".{form.split('.')[-1]}" for form in media_files.FORMS} <= RECORDINGS


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
@pytest.mark.parametrize("rate", [8000, 192000])
def test_any_channel_count_and_rate(tmp_path: Path, channels: int, rate: int) -> None:
    path = tmp_path / "many.wav"
    soundfile.write(path, np.tile(tone(1.0, rate)[:, None], channels), rate)
    sound = audio.read(path, 16000)
    assert len(sound.samples) == 16000
    assert loudest_hertz(sound) == pytest.approx(440, abs=2)
    assert np.abs(sound.samples).max() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_any_sample_width(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.5), 16000, subtype=subtype)
    np.testing.assert_allclose(audio.read(tmp_path / "a.wav").samples, tone(0.5), atol=0.02)


def test_blocks_joined_equal_the_whole(recording: Path) -> None:
    pieces = list(audio.blocks(recording, 16000, seconds=0.3))
    assert {len(piece) for piece in pieces[:-1]} == {4800}
    np.testing.assert_array_equal(np.concatenate(pieces), audio.read(recording, 16000).samples)


def test_streaming_resampling_equals_the_whole_at_once(recording: Path) -> None:
    at_once = audio.resample(audio.read(recording), 16000)
    np.testing.assert_allclose(audio.read(recording, 16000).samples, at_once.samples, atol=1e-5)


def test_ten_milliseconds_are_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", tone(0.01, 48000), 48000)
    assert len(audio.read(tmp_path / "short.wav", 16000).samples) == 160


def test_a_name_with_a_colon_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    audio.write("12:30.wav", Audio(tone(1.0), 16000))
    assert audio.read("12:30.wav").duration == audio.length("12:30.wav") == 1.0


def test_open_files_and_pipes_are_read(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = audio.read(recording).samples
    np.testing.assert_array_equal(audio.read(io.BytesIO(recording.read_bytes())).samples, expected)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": Pipe(recording.read_bytes())}))
    np.testing.assert_array_equal(audio.read("-").samples, expected)


def test_standard_output_gets_a_whole_wav(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", type("Stdout", (), {"buffer": pipe}))
    audio.write("-", Audio(tone(0.5), 16000))
    assert audio.read(io.BytesIO(pipe.getvalue())).duration == 0.5


def film(path: Path, *, sound_from: float | None) -> Path:
    """One second of black picture, with a tone that begins late, or without sound."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        track = container.add_stream("aac", rate=16000, layout="mono") if sound_from is not None else None
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            frame.pts = number
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if track is not None:
            pcm = av.AudioFrame.from_ndarray(tone(1.0)[None], format="fltp", layout="mono")
            pcm.sample_rate, pcm.pts = 16000, round(sound_from * 16000)
            container.mux(track.encode(pcm))
            container.mux(track.encode(None))
    return path


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    sound = audio.read(film(tmp_path / "a.mkv", sound_from=0.0))
    assert sound.duration == pytest.approx(1.0, abs=0.15)
    assert loudest_hertz(sound) == pytest.approx(440, abs=3)


def test_sound_that_begins_after_the_picture_keeps_its_times(tmp_path: Path) -> None:
    sound = audio.read(film(tmp_path / "a.mkv", sound_from=0.5))
    assert sound.duration == pytest.approx(1.5, abs=0.15)
    assert np.abs(sound.cut(0.0, 0.4).samples).max() < 0.01


def write_nothing_useful(path: Path, kind: str) -> Path:
    if kind == "missing":
        return path.with_name("missing.wav")
    if kind == "directory":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is no sound.\n" * 50)
    elif kind == "noise bytes":
        path.write_bytes(np.random.default_rng(0).bytes(5000))
    elif kind == "header only":
        soundfile.write(path, np.zeros(0), 16000)
    elif kind == "not a number":
        soundfile.write(path, np.array([0.1, np.nan, 0.2], np.float32), 16000, subtype="FLOAT")
    elif kind == "silent film":
        return film(path.with_suffix(".mp4"), sound_from=None)
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "does not exist"),
        ("directory", "directory"),
        ("empty", "empty"),
        ("text", "cannot be read|no sound"),
        ("noise bytes", "cannot be read|no sound"),
        ("header only", "no sound"),
        ("not a number", "not numbers"),
        ("silent film", "no sound track"),
    ],
)
def test_what_holds_no_sound_says_so_and_names_the_file(tmp_path: Path, kind: str, says: str) -> None:
    path = write_nothing_useful(tmp_path / "a.wav", kind)
    with pytest.raises(AudioError, match=says) as caught:
        audio.read(path)
    assert path.name in str(caught.value)
    with pytest.raises(AudioError, match=says):
        list(audio.blocks(path, 16000))


def test_a_file_with_a_whole_header_and_next_to_nothing_behind_it_says_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "broken.flac"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 160_000), 16_000)
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + np.random.default_rng(1).bytes(40_000))
    with pytest.warns(UserWarning, match=r"broken.flac is damaged: 9\.. s of 10\.0 s of its sound are lost"):
        assert audio.read(path).duration < 0.6


def test_a_damaged_part_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    audio.write(path, Audio(tone(3.0, 24000), 24000))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="damaged"):
        assert 1.5 < audio.read(path).duration <= 3.2


def test_a_file_that_breaks_off_gives_what_is_there(tmp_path: Path, recording: Path) -> None:
    path = tmp_path / "half.wav"
    path.write_bytes(recording.read_bytes()[: recording.stat().st_size // 2])
    with pytest.warns(UserWarning, match=r"half.wav is damaged: 1\.0 s of 2\.0 s of its sound are lost"):
        assert audio.read(path).duration == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", ["mono", "channels last", "channels first"])
def test_arrays_of_any_type_and_shape_become_audio(dtype: type, shape: str) -> None:
    wave = tone(0.1)
    if dtype == np.uint8:
        samples = (wave * 127 + 128).astype(np.uint8)
    elif np.issubdtype(dtype, np.integer):
        samples = (wave * np.iinfo(dtype).max).astype(dtype)
    else:
        samples = wave.astype(dtype)
    if shape != "mono":
        samples = np.stack([samples] * 2, axis=1 if shape == "channels last" else 0)
    sound = audio.from_array(samples, 16000)
    assert sound.samples.dtype == np.float32
    np.testing.assert_allclose(sound.samples, wave, atol=0.02)


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        ([0.1, np.nan], 16000, "not numbers"),
        ([0.1, np.inf], 16000, "not numbers"),
        ([20000.0, -20000.0], 16000, "32768"),
        ([], 16000, "empty"),
        ([[[0.0]]], 16000, "shape"),
        (["a"], 16000, "samples"),
        ([0.1], 0, "rate"),
    ],
)
def test_arrays_that_are_no_sound_say_why(samples: list, rate: int, says: str) -> None:
    with pytest.raises(AudioError, match=says):
        audio.from_array(np.array(samples), rate)


def test_loud_samples_are_clipped_not_wrapped(tmp_path: Path) -> None:
    audio.write(tmp_path / "a.wav", Audio(tone(0.1) * 4, 16000))
    assert 0.99 < np.abs(audio.read(tmp_path / "a.wav").samples).max() <= 1.0


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(recording: Path) -> None:
    before = recording.read_bytes()
    with pytest.raises(RuntimeError), audio.Writer(recording, 16000) as writer:
        writer.write(tone(1.0))
        raise RuntimeError
    assert recording.read_bytes() == before
    assert list(recording.parent.iterdir()) == [recording]


@pytest.mark.parametrize(
    ("name", "says"), [("a.xyz", "endings"), ("none/a.wav", "make it"), ("dir.wav", "directory")]
)
def test_places_that_cannot_be_written_say_why(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "dir.wav").mkdir()
    with pytest.raises(AudioError, match=says):
        audio.write(tmp_path / name, Audio(tone(0.1), 16000))


def test_a_place_that_cannot_be_written_after_all_is_named(tmp_path: Path, monkeypatch) -> None:
    def denied(*_) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # FFmpeg's names no file

    monkeypatch.setattr(audio.Encoder, "write", denied)
    with pytest.raises(AudioError, match="late.wav cannot be written .*denied"):
        audio.write(tmp_path / "late.wav", Audio(tone(0.1), 16000))
    assert list(tmp_path.iterdir()) == []


def test_a_closed_folder_is_found_out_before_anything_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(AudioError, match="cannot be written to; check its permissions"):
        audio.check_target(tmp_path / "out.wav")


class Pipe:
    """What can only be written to, as a connection."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, content: bytes) -> int:
        self.sent += bytes(content)
        return len(content)


@pytest.mark.filterwarnings("ignore:the stream is damaged. it breaks off")
@pytest.mark.parametrize("form", ["wav", "flac", "mp3", "opus", "aac"])
def test_an_encoder_lets_out_what_was_written_before_the_end(form: str) -> None:
    pipe = Pipe()
    encoder = audio.Encoder(pipe, form, 24_000, latency=0.2)
    encoder.write(tone(2.0, 24_000))
    so_far = audio.read(io.BytesIO(pipe.sent), 24_000)
    encoder.write(tone(1.0, 24_000))
    encoder.close()
    whole = audio.read(io.BytesIO(pipe.sent), 24_000)
    assert so_far.duration > 1.6
    assert whole.duration == pytest.approx(3.0, abs=0.1)
    assert loudest_hertz(whole) == pytest.approx(440, abs=2)


def test_bare_samples_are_at_24_kilohertz() -> None:
    pipe = Pipe()
    encoder = audio.Encoder(pipe, "pcm", 16_000, latency=0.2)
    encoder.write(tone(1.0))
    encoder.close()
    samples = np.frombuffer(pipe.sent, "<i2")
    assert loudest_hertz(Audio(samples / 32768.0, 24_000)) == pytest.approx(440, abs=2)
    assert len(samples) == 24_000


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile 'secret.wav'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_a_stream_cannot_make_us_open_files_or_addresses(
    playlist: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio.write(tmp_path / "secret.wav", Audio(tone(1.0), 16000))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AudioError, match="cannot be read"):
        audio.read(io.BytesIO(playlist.encode()))


def test_an_address_is_not_fetched_and_the_error_says_so() -> None:
    with pytest.raises(AudioError, match="http://example.com/a.mp3 is an address; save the file"):
        audio.read("http://example.com/a.mp3")
