from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import media_files

from voice import audio
from voice.cli import captions
from voice.cli.captions import in_time, raw
from voice.cli.console import OutputError
from voice.errors import AudioError
from voice.media import container, source
from voice.types import Audio, Segment, Transcript

RATE = 16_000
SOUND = np.concatenate((np.full(2 * RATE, 0.5, np.float32), np.zeros(2 * RATE, np.float32)))


class Loud:
    rate = RATE
    hop = 512

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda frame: float(np.abs(frame).max() > 0.1)


class Hum:
    """A fake recognizer that hears one word."""

    rate = RATE

    def transcribe(self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()):
        return Transcript((Segment("Hum.", 0.0, 1.0),), "en", speech.duration)


def transcribe_quietly(source: str, quiet: bool = False) -> Transcript:
    return captions.transcribe(
        source, Hum(), Loud(), language=None, hotwords=(), real_time=False, quiet=quiet
    )


def test_raw_sound_is_cut_anywhere_and_no_sample_is_lost() -> None:
    samples = np.arange(-1000, 1000, dtype="<i2")

    class Drops(io.BytesIO):
        def read1(self, size: int = -1) -> bytes:
            return super().read1(min(size, 7))

    found = np.concatenate(list(raw(Drops(samples.tobytes() + b"x"))))
    np.testing.assert_array_equal(found, samples.astype(np.float32) / 32_768)


def test_an_interrupt_ends_the_sound() -> None:
    def interrupted(size: int) -> bytes:
        raise KeyboardInterrupt

    assert list(raw(SimpleNamespace(read1=interrupted))) == []


def test_blocks_come_when_they_have_been_said() -> None:
    now = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    blocks = in_time([np.zeros(8000)] * 4, RATE, lambda: now[0], sleep)
    next(blocks)
    now[0] += 0.7  # recognizing takes longer than the next block lasts: nobody waits for it
    next(blocks)
    list(blocks)
    assert waits == pytest.approx([0.5, 0.3, 0.5])


def test_prints_each_segment_of_a_file_and_gives_all(tmp_path, capsys) -> None:
    audio.write(tmp_path / "hum.wav", Audio(SOUND, RATE))
    transcript = transcribe_quietly(str(tmp_path / "hum.wav"))
    assert capsys.readouterr().out == "Hum.\n"
    assert (transcript.text, transcript.duration) == ("Hum.", 4.0)
    transcribe_quietly(str(tmp_path / "hum.wav"), quiet=True)
    assert capsys.readouterr().out == ""


def test_hears_raw_sound_on_standard_input(monkeypatch, capsys) -> None:
    pcm = (SOUND * 32_767).astype("<i2").tobytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pcm)))
    assert transcribe_quietly("-").text == "Hum."
    assert capsys.readouterr().out == "Hum.\n"


HUM = np.where(SOUND, 0.5 * np.sin(np.arange(len(SOUND)) / 8), 0.0).astype(np.float32)


def encode_hum(form: str, rate: int, coder: str, channels: int) -> bytes:
    """The sound as a file of FFmpeg's `form`."""
    import av

    layout = "stereo" if channels == 2 else "mono"
    wide = np.repeat(audio.resample(Audio(HUM, RATE), rate).samples, channels)
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(coder, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(wide[None], format="flt", layout=layout)
        frame.sample_rate = rate
        fitting = av.AudioResampler(stream.format, layout, rate)
        for part in fitting.resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


class Trickling:
    """A pipe into which bytes come slowly: `given` is how many it has given so far."""

    def __init__(self, data: bytes, most: int = 640) -> None:
        self.file, self.most, self.given = io.BytesIO(data), most, 0

    def read1(self, size: int = -1) -> bytes:
        piece = self.file.read(min(size, self.most))
        self.given += len(piece)
        return piece


@pytest.mark.parametrize(
    ("form", "rate", "coder", "channels"),
    [("wav", 16_000, "pcm_s16le", 1), ("wav", 44_100, "pcm_s24le", 2), ("wav", 8_000, "pcm_mulaw", 1),
     ("wav", 22_050, "pcm_f32le", 2), ("wav", 16_000, "adpcm_ms", 1), ("w64", 48_000, "pcm_s16le", 2),
     ("flac", 44_100, "flac", 1), ("ogg", 48_000, "libopus", 1), ("matroska", 48_000, "libopus", 2),
     ("mp3", 44_100, "libmp3lame", 1), ("aiff", 22_050, "pcm_s16be", 1), ("au", 16_000, "pcm_s16be", 1)],
)  # fmt: skip
def test_a_file_that_is_piped_in_is_recognized_as_one(
    monkeypatch, capsys, form, rate, coder, channels
) -> None:
    whole = encode_hum(form, rate, coder, channels)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Trickling(whole)))
    transcript = transcribe_quietly("-")
    assert transcript.text == "Hum." and transcript.duration == pytest.approx(4.0, abs=0.15)


def read_pipe(pipe) -> np.ndarray:
    """(T,) what a pipe is heard to hold, at 16 kHz."""
    with captions.InputPipe(pipe) as taken:
        return np.concatenate([np.zeros(0, np.float32), *captions.arriving(taken)])


JOINED = {
    "Opus of one and of two channels": [("ogg", 16_000, "libopus", 1), ("ogg", 24_000, "libopus", 2)],
    "the same three times": [("ogg", 24_000, "libopus", 2)] * 3,
    "Opus, Vorbis, Opus": [("ogg", 16_000, "libopus", 1), ("vorbis.ogg",), ("ogg", 16_000, "libopus", 2)],
    "MP3 of two rates": [("mp3", 44_100, "libmp3lame", 1), ("mp3", 24_000, "libmp3lame", 2)],
    "FLAC of two rates": [("flac", 44_100, "flac", 1), ("flac", 16_000, "flac", 2)],
    "WebM": [("webm", 48_000, "libopus", 1)] * 2,
}


@pytest.mark.parametrize("joined", JOINED)
def test_files_that_are_joined_are_heard_to_the_last_as_they_come(joined: str) -> None:
    kinds = JOINED[joined]
    whole = b"".join(encode_hum(*each) if len(each) > 1 else media_files.healthy(*each) for each in kinds)
    found, read = read_pipe(Trickling(whole)), audio.read(io.BytesIO(whole), RATE).samples
    assert len(read) > 3.2 * len(kinds) * RATE
    assert len(found) == pytest.approx(len(read), abs=0.1 * RATE)
    assert np.square(found).sum() == pytest.approx(np.square(read).sum(), rel=0.05)


PIPED = ("wav", "aiff", "caf", "au", "avi", "flac", "opus.ogg", "vorbis.ogg", "webm", "mkv", "flv")


@pytest.mark.parametrize("form", PIPED)
def test_what_arrives_is_heard_from_its_first_sample_as_in_a_file(form: str) -> None:
    whole = media_files.healthy(form)
    np.testing.assert_allclose(
        read_pipe(Trickling(whole)), audio.read(io.BytesIO(whole), RATE).samples, atol=1e-4
    )


def test_a_hole_in_what_arrives_is_silence_and_a_late_beginning_none() -> None:
    for parts, seconds in (([(0, 1.0), (5, 1.0)], 6.0), ([(18_000, 1.0)], 1.0)):
        with warnings.catch_warnings(action="error"):  # nothing is lost
            found = read_pipe(Trickling(media_files.encode_tones("webm", parts)))
        assert len(found) / RATE == pytest.approx(seconds, abs=0.05)


def test_no_sound_waits_for_the_sound_after_it() -> None:
    trickling, seconds, late = Trickling(encode_hum("au", 16_000, "pcm_s16be", 1), 160), 0.0, []
    with captions.InputPipe(trickling) as pipe:
        for block in captions.arriving(pipe):
            late.append(trickling.given / (2 * RATE) - seconds)
            seconds += len(block) / RATE
    assert max(late[1:]) < 0.1


def test_a_header_that_claims_a_gigabyte_is_not_read_to_its_end(monkeypatch) -> None:
    monkeypatch.setattr(container, "HEADER_LIMIT", 1_000_000)
    trickling = Trickling(media_files.private(900_000_000) + bytes(20_000_000), 2**16)
    with pytest.raises(AudioError, match="standard input has more than"):
        read_pipe(trickling)
    assert trickling.given < 2_000_000


@pytest.mark.parametrize("form", ["opus.ogg", "wav", "mkv"])
def test_who_is_silent_for_long_is_heard_when_they_go_on(form: str, monkeypatch) -> None:
    monkeypatch.setattr(source, "STALL_LIMIT", 0.1)
    monkeypatch.setattr(container, "_STEP", 0.1)
    whole = media_files.healthy(form)

    class Hesitating(Trickling):
        def read1(self, size: int = -1) -> bytes:
            if self.given < 600 or self.given >= len(whole):  # at the beginning, and before the end
                time.sleep(0.15)
            return super().read1(size)

    assert len(read_pipe(Hesitating(whole))) / RATE == pytest.approx(2.0, abs=0.1)


def test_damaged_and_hostile_files_in_a_pipe_are_heard_or_named() -> None:
    refused = 0
    for name, content in media_files.files(500):
        try:
            with warnings.catch_warnings(action="ignore"):
                read_pipe(Trickling(content, 4096))
        except AudioError as error:
            refused += 1
            assert str(error).startswith(("standard input", "this container")), name
    assert 50 < refused < 300


def test_what_arrived_last_can_be_read_again(monkeypatch) -> None:
    monkeypatch.setattr(source, "REREAD_LIMIT", 100)
    file = source.Arrived(io.BytesIO(bytes(range(250))).read)
    assert len(file.read(150)) == 150 and file.read(0) == b""
    assert file.seek(60) == 60 and file.read(10) == bytes(range(60, 70))
    assert file.read(1000) == bytes(range(70, 150)) and file.read(1000) == bytes(range(150, 250))
    assert file.read(10) == b"" and file.tell() == 250
    with pytest.raises(OSError, match="came through a pipe"):
        file.seek(149)


def test_what_is_behind_the_samples_of_a_wav_is_no_sound(monkeypatch) -> None:
    whole = encode_hum("wav", 16_000, "pcm_s16le", 1) + b"LIST" + bytes([0, 1, 0, 0]) + b"\x7f" * 256
    with captions.InputPipe(Trickling(whole)) as pipe:
        found = np.concatenate(list(captions.arriving(pipe)))
    assert np.abs(found[-RATE:]).max() < 0.01


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2)])
@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"\0\0\0\0"])
def test_a_wav_of_unknown_length_is_heard_as_it_comes(rate, channels, length) -> None:
    whole = bytearray(encode_hum("wav", rate, "pcm_s16le", channels))
    place = whole.index(b"data")
    whole[4:8] = whole[place + 4 : place + 8] = length
    trickling = Trickling(bytes(whole))
    with captions.InputPipe(trickling) as pipe:
        seconds = 0.0
        for block in captions.arriving(pipe):
            assert trickling.given / (2 * channels * rate) - seconds < 0.3  # nothing is held back
            seconds += len(block) / RATE
    assert seconds == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("begun", [b"\0\0\0\x20ftypisom", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"])
def test_a_container_that_cannot_be_heard_as_it_comes_is_told_what_to_do(monkeypatch, begun) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(begun + bytes(5000))))
    with pytest.raises(AudioError, match="ffmpeg -i FILE -f wav -"):
        transcribe_quietly("-")


def test_a_damaged_header_is_an_error_of_its_own(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"RIFF\xff\xff\xff\xffWAVEfmt ")))
    with pytest.raises(AudioError, match="begins as wav and cannot be decoded"):
        transcribe_quietly("-")


def test_a_terminal_shows_what_is_being_said(tmp_path, monkeypatch, capsys) -> None:
    audio.write(tmp_path / "hum.wav", Audio(SOUND, RATE))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    transcribe_quietly(str(tmp_path / "hum.wav"))
    assert "Hum." in capsys.readouterr().out


def test_where_standard_output_is_closed_it_is_said(tmp_path, monkeypatch) -> None:
    audio.write(tmp_path / "hum.wav", Audio(SOUND, RATE))
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OutputError, match="standard output is closed"):
        transcribe_quietly(str(tmp_path / "hum.wav"))


def test_rates_that_no_sound_has_are_refused_as_in_files(monkeypatch) -> None:
    whole = bytearray(encode_hum("wav", 16_000, "pcm_s16le", 1))
    whole[24:28] = (1).to_bytes(4, "little")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(bytes(whole))))
    with pytest.raises(AudioError, match="1,000 to 1,000,000"):
        transcribe_quietly("-")
