"""Every sound file of a voice says that it was synthesized, in each container that has a place for it."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from voice import __version__, audio
from voice.media.encoder import Encoder, riff_info
from voice.media.formats import ENDINGS
from voice.models.card import Card, write_card
from voice.tts.provenance import synthesis_tags
from voice.types import Audio

SOUND = Audio(np.sin(np.arange(24_000) / 20).astype(np.float32) * 0.3, 24_000)
SAID = f"synthesized by voice {__version__}, voice kathleen"


def comment_of(source) -> str | None:
    with av.open(source) as container:
        found = dict(container.metadata)
        for stream in container.streams.audio:
            found |= dict(stream.metadata)
    return {name.lower(): value for name, value in found.items()}.get("comment")


@pytest.mark.parametrize("ending", sorted(set(ENDINGS) - {".pcm"}))
def test_each_container_says_so_and_still_holds_the_sound(tmp_path: Path, ending: str):
    path = tmp_path / f"said{ending}"
    audio.write(path, SOUND, synthesis_tags("kathleen"))
    assert comment_of(str(path)) == SAID
    assert audio.read(path).duration == pytest.approx(1.0, abs=0.1)
    audio.write(path, SOUND)
    assert comment_of(str(path)) is None


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "opus", "aac"])
def test_what_is_streamed_says_so_too(form: str):
    out = io.BytesIO()
    encoder = Encoder(out, form, 24_000, latency=0.2, tags=synthesis_tags("kathleen"))
    encoder.write(SOUND.samples)
    encoder.close()
    assert comment_of(io.BytesIO(out.getvalue())) == SAID


def test_a_header_that_is_written_by_hand_has_the_same_chunk():
    chunk = riff_info("é")
    assert len(chunk) % 2 == 0 and struct.unpack("<I", chunk[4:8])[0] == len(chunk) - 8
    data = b"\0\0" * 100
    form = struct.pack("<IHHIIHH", 16, 1, 1, 24000, 48000, 2, 16)
    body = b"WAVEfmt " + form + riff_info("said it") + b"data" + struct.pack("<I", len(data)) + data
    assert comment_of(io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)) == "said it"


def test_of_a_folder_the_name_on_its_card_is_told_and_not_its_place(tmp_path: Path):
    write_card(tmp_path, Card("anna", "voice", "acoustic", 24_000, "en", "not stated"))
    assert synthesis_tags(str(tmp_path))["comment"].endswith("voice anna")
    assert synthesis_tags("/home/somebody/no-such-voice")["comment"].endswith("voice no-such-voice")
