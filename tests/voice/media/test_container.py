"""Media from anybody: one file and no other, bounded in time and memory, and every failure an AudioError."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from fakes import media_files

from voice import audio
from voice.errors import AudioError
from voice.media import container, source

RATE = 16_000
FILES = 1000
BOUND = 300  # MB beyond what reading a healthy file takes


def test_a_thousand_damaged_and_hostile_files_end_soon_in_bounded_memory_and_are_named(
    tmp_path: Path,
) -> None:
    command = [sys.executable, media_files.__file__, "survey", str(FILES), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    print(found)
    assert found["failed"] == []
    assert found["peak"] < BOUND, found["largest"]
    assert found["slowest"][0] < source.STALL_LIMIT, found["slowest"]
    assert found["decoded"] + found["warned"] + found["refused"] == FILES
    assert found["decoded"] > 200 and found["warned"] > 150 and found["refused"] > 150


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording beside the files that try to have it read."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "secret.mp3"
    path.write_bytes(media_files.healthy("mp3"))
    return path


@pytest.mark.parametrize("opened", [True, False], ids=["open file", "path"])
@pytest.mark.parametrize("name", media_files.SCRIPTS)
def test_no_script_or_playlist_is_a_recording_whatever_its_name(
    name: str, opened: bool, secret: Path
) -> None:
    path = secret.with_name(name)
    path.write_text(media_files.SCRIPTS[name].replace("SECRET", str(secret)))
    with pytest.raises(AudioError, match="cannot be read"):
        audio.read(path.open("rb") if opened else path)


def test_ffmpeg_learns_the_ending_of_a_name_and_no_more() -> None:
    assert source.Media(io.BytesIO(), "/home/me/secret meeting.WAV").name == "sound.WAV"
    assert source.Media(io.BytesIO(), "frames%03d").name == "sound"


def test_media_that_an_mp4_names_elsewhere_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.mov"
    path.write_bytes(dict(media_files.hostile())["elsewhere.mov"])
    with pytest.raises(AudioError, match="elsewhere.mov"):
        audio.read(path)


def test_a_file_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "STALL_LIMIT", -1.0)
    with pytest.raises(AudioError, match="the stream never comes to an end"):
        audio.read(io.BytesIO(media_files.healthy("mp3")))


@pytest.mark.parametrize(("room", "taken"), [(400_000, True), (200_000, False)])
def test_covers_and_attachments_are_kept_within_bounds(
    room: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "HEADER_LIMIT", room)
    content = _with_cover(media_files.healthy("mp3"), 300_000)
    if taken:
        assert audio.read(io.BytesIO(content)).duration == pytest.approx(2.0, abs=0.1)
    else:
        with pytest.raises(AudioError, match="save it without covers"):
            audio.read(io.BytesIO(content))


def _with_cover(mp3: bytes, size: int) -> bytes:
    def synchsafe(number: int) -> bytes:
        return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))

    picture = b"\0image/png\0\3\0\x89PNG\r\n\x1a\n" + bytes(size)
    frame = b"APIC" + synchsafe(len(picture)) + bytes(2) + picture
    return b"ID3\4\0\0" + synchsafe(len(frame)) + frame + mp3


class Failing(io.BytesIO):
    """A file of which only the beginning can be read."""

    def __init__(self, content: bytes, error: BaseException) -> None:
        super().__init__(content)
        self._error = error

    def read(self, size: int = -1) -> bytes:
        if self.tell() >= 60_000:
            raise self._error
        return super().read(min(size, 30_000))


def test_an_interrupt_comes_through_while_a_file_is_read() -> None:
    with pytest.raises(KeyboardInterrupt):
        audio.read(Failing(media_files.encode_tones("wav", [(0, 10.0)]), KeyboardInterrupt()))


def test_a_disk_that_fails_is_told() -> None:
    with pytest.raises(AudioError, match="Input/output error"):
        audio.read(Failing(media_files.encode_tones("wav", [(0, 10.0)]), OSError(5, "Input/output error")))


def test_a_file_open_as_text_is_to_be_opened_as_binary() -> None:
    with pytest.raises(AudioError, match="mode rb"):
        audio.read(io.StringIO("RIFF" * 100))


def test_a_file_without_a_name_is_called_a_stream() -> None:
    with tempfile.TemporaryFile() as file, pytest.raises(AudioError, match="the stream cannot be read"):
        audio.read(file)


def test_a_closed_standard_input_is_told() -> None:
    code = "from voice import audio; audio.read('-')"
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -c "{code}" <&-'], capture_output=True, text=True)
    assert "AudioError: standard input is closed" in done.stderr


def test_a_pipe_is_kept_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "PIPE_LIMIT", 100_000)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for content, longest in ((media_files.healthy("wav"), 100_000), (bytes(300_000), 0)):
        writer = threading.Thread(target=_write, args=(pipe, content))
        writer.start()
        if longest:
            assert audio.read(pipe).duration == 2.0
        else:
            with pytest.raises(AudioError, match="pipe gave more than"):
                audio.read(pipe)
        writer.join()


def _write(pipe: Path, content: bytes) -> None:
    with pipe.open("wb", buffering=0) as file:
        try:
            file.write(content)
        except BrokenPipeError:
            pass


@pytest.mark.parametrize(
    "claims",
    [
        {"samples": 2**25},
        {"samples": 2**22, "tracks": 16},
        {"samples": 4000, "edits": 2000},
        {"samples": 2**31},
    ],
    ids=str,
)
def test_an_mp4_cannot_claim_more_than_recordings_have(claims: dict) -> None:
    with pytest.raises(AudioError, match="claims more pieces than a recording has"):
        audio.read(io.BytesIO(media_files.claiming(**claims)))


def test_a_codec_that_is_no_persons_is_not_decoded() -> None:
    with pytest.raises(AudioError, match="coded in an unknown way"):
        audio.read(io.BytesIO(media_files.claiming(100, coding=b"als ")))


@pytest.mark.parametrize("rate", [1, 10, 999, 1_000_001])
def test_rates_that_no_recording_has_are_refused(rate: int) -> None:
    content = media_files.wav(rate, 1, 16, bytes(200_000))
    with pytest.raises(AudioError, match=f"{rate:,} samples per second.*convert it"):
        audio.read(io.BytesIO(content))


@pytest.mark.parametrize("rate", [1_000, 384_000, 1_000_000])
def test_rates_that_recordings_have_are_read(rate: int) -> None:
    content = media_files.wav(rate, 1, 16, bytes(2 * rate))
    assert audio.read(io.BytesIO(content), RATE).duration == pytest.approx(1.0, abs=0.001)


def test_what_is_too_long_to_be_held_is_for_blocks() -> None:
    content = media_files.healthy("wav")
    with pytest.raises(AudioError, match="longer than 1 s; cut it, or read it in blocks"):
        audio.read(io.BytesIO(content), longest=1.0)
