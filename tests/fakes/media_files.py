"""Media of a dozen containers, healthy, damaged and hostile: a thousand of them, the same at every run.

`python tests/fakes/media_files.py FOLDER` writes them; `survey` reads them all and says what became of them.
"""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import sys
import time
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile

RATE = 16_000
# name: (FFmpeg's container, its encoder, that of its picture, the rate)
FORMS = {
    "wav": ("wav", "pcm_s16le", "", RATE),
    "aiff": ("aiff", "pcm_s16be", "", RATE),
    "caf": ("caf", "pcm_s16be", "", RATE),
    "mp3": ("mp3", "libmp3lame", "", 24_000),
    "flac": ("flac", "flac", "", RATE),
    "opus.ogg": ("ogg", "libopus", "", 48_000),
    "vorbis.ogg": ("ogg", "vorbis", "", RATE),
    "m4a": ("ipod", "aac", "", RATE),
    "mp4": ("mp4", "aac", "mpeg4", RATE),
    "mkv": ("matroska", "aac", "mpeg4", RATE),
    "webm": ("webm", "libopus", "", 48_000),
    "amr": ("amr", "libopencore_amrnb", "", 8_000),
    "aac": ("adts", "aac", "", RATE),
    "ts": ("mpegts", "aac", "mpeg4", RATE),
    "avi": ("avi", "pcm_s16le", "mpeg4", RATE),
    "wv": ("wv", "wavpack", "", RATE),
    "tta": ("tta", "tta", "", RATE),
    "flv": ("flv", "aac", "flv", 44_100),
    "au": ("au", "pcm_s16be", "", RATE),
}


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    """(T,) a sine of half the full scale."""
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encode_tones(
    form: str, parts: list[tuple[float, float]], *, rate: int | None = None, picture: float | None = None
) -> bytes:
    """A file with tones; `parts` are (begins at, lasts) in seconds, `picture` how long a video is."""
    container, encoder, filmed, usual = FORMS[form]
    rate, held = rate or usual, io.BytesIO()
    if encoder == "vorbis":  # FFmpeg's own encoder is no good
        soundfile.write(held, np.concatenate([tone(length, rate) for _, length in parts]), rate, format="OGG")
        return held.getvalue()
    held.name = form
    with av.open(held, "w", format=container) as out:
        video = out.add_stream(filmed, rate=5, width=16, height=16, pix_fmt="yuv420p") if filmed else None
        sound = out.add_stream(encoder, rate=rate, layout="mono")
        longest = max((start + length for start, length in parts), default=1.0)
        packets = [*_sounds(sound, parts, rate)]
        packets += _pictures(video, longest if picture is None else picture) if video else []
        for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
            out.mux(packet)
    return held.getvalue()


def _pictures(stream, seconds: float) -> Iterator:
    for number in range(round(seconds * 5)):
        frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), number % 256, np.uint8), format="rgb24")
        frame.pts = number
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sounds(stream, parts: list[tuple[float, float]], rate: int) -> Iterator:
    step = stream.codec_context.frame_size or 1024
    for start, length in parts:
        samples = (tone(length, rate) * 32767).astype(np.int16)
        for first in range(0, len(samples), step):
            frame = av.AudioFrame.from_ndarray(
                samples[None, first : first + step], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = rate, round(start * rate) + first
            yield from stream.encode(frame)
    yield from stream.encode(None)


# ---- Damage


@cache
def healthy(form: str) -> bytes:
    """Two seconds of a tone."""
    return encode_tones(form, [(0.0, 2.0)])


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip_bits(data: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(2 ** chance.randrange(10)):
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _zero_part(data: bytes, chance: random.Random) -> bytes:
    start, size = chance.randrange(len(data)), chance.randrange(len(data) // 3)
    return data[:start] + bytes(len(data[start : start + size])) + data[start + size :]


def _cut_out(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(len(data) // 3) :]


def _change_header(data: bytes, chance: random.Random) -> bytes:
    """Some numbers of the header, sizes among them, say something else."""
    lied = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(4, min(len(data) - 4, 600))
        number = chance.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, chance.getrandbits(32)])
        lied[place : place + 4] = number.to_bytes(4, chance.choice(["big", "little"]))
    return bytes(lied)


def _splice_header(data: bytes, chance: random.Random) -> bytes:
    """The header of one file before the content of another."""
    other = healthy(chance.choice([*FORMS]))
    return data[: chance.randrange(16, 400)] + other[chance.randrange(len(other)) :]


def _insert_bytes(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.randbytes(chance.randrange(1, 3000)) + data[place:]


def _repeat_part(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return (
        data[:start] + data[start : start + chance.randrange(5000)] * chance.randrange(2, 20) + data[start:]
    )


DAMAGE = (
    _truncate,
    _flip_bits,
    _zero_part,
    _cut_out,
    _change_header,
    _splice_header,
    _insert_bytes,
    _repeat_part,
)


# ---- Malice

SCRIPTS = {
    "itself.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nitself.m3u8\n",
    "other.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://SECRET\n#EXT-X-ENDLIST\n",
    "endless.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp3\n",
    "playlist.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp3\n#EXT-X-ENDLIST\n",
    "tones.sbg": "NOW a / +24:00:00 b\na: 100+4/20\nb: 200+8/20\nNOW a\n+24:00:00 b\n",
    "tones.wav": "a: 100+4/20\nb: 200+8/20\nNOW a\n+24:00:00 b\n",
    "list.ffconcat": "ffconcat version 1.0\nfile 'secret.mp3'\n",
    "list.mp4": "ffconcat version 1.0\nfile 'SECRET'\n",
    "meta.ffmeta": ";FFMETADATA1\ntitle=x\n",
    "call.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "dash.mpd": "<MPD><Period><AdaptationSet><BaseURL>SECRET</BaseURL></AdaptationSet></Period></MPD>",
    "text.srt": "1\n00:00:00,000 --> 24:00:00,000\nwords\n",
    "ansi.nfo": "\x1b[2J" * 100,
    "frames.%d.png": "x",
}


def box(kind: bytes, *inside: bytes) -> bytes:
    """A box of an MP4."""
    content = b"".join(inside)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def table(kind: bytes, *numbers: int) -> bytes:
    """A box with a version and 32-bit numbers."""
    return box(kind, struct.pack(f">{len(numbers) + 1}I", 0, *numbers))


def claiming(
    samples: int,
    *,
    tracks: int = 1,
    edits: int = 1,
    chunk: int | None = None,
    coding: bytes = b"mp4a",
    data: bytes = b"",
) -> bytes:
    """An MP4 of a few kB whose tables claim any number of samples; `data` says where its media are."""
    media = box(b"mdat", bytes(1000))
    entry = box(coding, bytes(6) + b"\0\1" + bytes(8) + struct.pack(">4HI", 1, 16, 0, 0, RATE << 16))
    tables = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        table(b"stts", 1, samples, 1024),
        table(b"stsc", 1, 1, chunk or samples, 1),
        table(b"stsz", 1, samples),
        table(b"stco", 1, 32),
    )
    handler = box(b"hdlr", bytes(8) + b"soun" + bytes(13))
    listed = table(b"elst", edits, *[1000, 0, 1 << 16] * edits)
    parts = box(b"minf", table(b"smhd", 0), data, tables)
    track = box(
        b"trak",
        box(b"tkhd", struct.pack(">5I", 0, 0, 1, 0, 1000) + bytes(64)),
        box(b"edts", listed),
        box(b"mdia", table(b"mdhd", 0, 0, RATE, 1000, 0), handler, parts),
    )
    head = box(b"mvhd", struct.pack(">5I", 0, 0, 0, 1000, 1000) + bytes(80))
    return box(b"ftyp", b"isom" + bytes(4) + b"isom") + media + box(b"moov", head, track * tracks)


def private(size: int) -> bytes:
    """The beginning of a Matroska file whose codec claims `size` bytes of private data, which come next."""

    def element(name: str, content: bytes = b"", more: int = 0) -> bytes:
        return bytes.fromhex(name) + (1 << 56 | len(content) + more).to_bytes(8, "big") + content

    form = element("1a45dfa3", element("4282", b"matroska"))
    codec = (
        element("d7", b"\1") + element("83", b"\2") + element("86", b"A_OPUS") + element("63a2", more=size)
    )
    return form + element("18538067", element("1654ae6b", element("ae", codec, size), size), size)


def wav(
    rate: int, channels: int, bits: int, content: bytes, *, size: int | None = None, kind: int = 1
) -> bytes:
    """A WAV file of any claims; `size` is how many bytes of content it says it has."""
    size, step = len(content) if size is None else size, channels * bits // 8
    per_second = rate * step & 0xFFFFFFFF
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, per_second, step & 0xFFFF, bits)
    head = b"WAVE" + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(head) + size & 0xFFFFFFFF) + head + content


def flac(rate: int, samples: int) -> bytes:
    """A FLAC file of any rate, in frames that are as long as they can be."""
    held = io.BytesIO()
    with av.open(held, "w", format="flac") as out:
        stream = out.add_stream("flac", rate=rate, layout="mono", options={"frame_size": "65535"})
        frame = av.AudioFrame.from_ndarray(np.zeros((1, samples), np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return held.getvalue()


def hostile() -> Iterator[tuple[str, bytes]]:
    """(name, content) of what is made to take memory, time or other files."""
    for name, script in SCRIPTS.items():
        yield name, script.encode()
    yield "empty.wav", b""
    for hours in (1, 24, 1000):
        late = round(hours * 3600)
        yield f"late{hours}.mkv", encode_tones("mkv", [(late, 0.5)], picture=0.2)
        yield f"hole{hours}.webm", encode_tones("webm", [(0, 0.5), (late, 0.5)])
        yield f"hole{hours}.mp4", encode_tones("mp4", [(0, 0.5), (late, 0.5)], picture=0.2)
    for rate in (1, 10, 999, 655_350):
        yield f"rate{rate}.flac", flac(rate, 200_000)
    for rate in (0, 1, 7, 999, 1_000_001, 2**31 - 1, 2**32 - 1):
        yield f"rate{rate}.wav", wav(rate, 1, 16, bytes(200_000))
    for channels in (0, 1, 64, 255, 512, 1024, 32_768, 65_535):
        for bits in (8, 16, 24, 32, 64):
            yield f"channels{channels}x{bits}.wav", wav(RATE, channels, bits, bytes(300_000))
    for size in (0, 1, 2**31 - 1, 2**31, 2**32 - 1):
        yield f"size{size}.wav", wav(RATE, 1, 16, bytes(64_000), size=size)
    yield "numbers.wav", wav(RATE, 1, 32, struct.pack("<f", float("nan")) * 8000, kind=3)
    for samples in (2**20, 2**22, 2**25, 2**31):
        yield f"claim{samples}.mp4", claiming(samples)
        yield f"tracks{samples}.mov", claiming(samples, tracks=16)
        yield f"edits{samples}.m4a", claiming(samples // 1000, edits=2000)
        yield f"pcm{samples}.mov", claiming(samples, chunk=2**31, coding=b"sowt", tracks=8)
        yield f"als{samples}.mp4", claiming(samples, coding=b"als ")
    elsewhere = box(
        b"dinf", box(b"dref", struct.pack(">II", 0, 1), box(b"url ", bytes(4) + b"file:///etc/passwd\0"))
    )
    yield "elsewhere.mov", claiming(100, data=elsewhere)
    for form in FORMS:
        yield f"behind.{form}", bytes(5000) + healthy(form)
        yield f"twice.{form}", healthy(form) * 2


def files(number: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of `number` files: the hostile ones, then damaged ones of all containers."""
    made = 0
    for made, each in enumerate(hostile(), 1):  # noqa: B007
        yield each
    for seed in range(number - made):
        chance = random.Random(seed)
        form = [*FORMS][seed % len(FORMS)]
        damage = DAMAGE[seed // len(FORMS) % len(DAMAGE)]
        yield f"{seed}{damage.__name__}.{form}", damage(healthy(form), chance)


# ---- What becomes of them


def survey(number: int, folder: Path) -> dict:
    """Read `number` files one after the other as the command does, and count what happens."""
    from voice import audio
    from voice.errors import AudioError

    named = folder / "secret.mp3"
    named.write_bytes(healthy("mp3"))
    made = [(name, content.replace(b"SECRET", str(named).encode())) for name, content in files(number)]
    [*audio.blocks(named, RATE)]  # what is loaded at first use is not what a file takes
    before, counts = _peak(), dict.fromkeys(("decoded", "warned", "refused"), 0)
    failed, slowest, largest = [], (0.0, ""), (0, "")
    for name, content in made:
        path, begun, peak = folder / name, time.monotonic(), _peak()
        path.write_bytes(content)
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                for _ in audio.blocks(path, RATE):
                    pass
            counts["warned" if told else "decoded"] += 1
        except AudioError as error:
            counts["refused"] += 1
            failed += [] if name in str(error) else [f"{name} is not named: {error}"]
        except Exception as error:
            failed.append(f"{name}: {error!r}")
        path.unlink()
        slowest = max(slowest, (time.monotonic() - begun, name))
        largest = max(largest, (_peak() - peak, name))
    return {**counts, "failed": failed, "slowest": slowest, "largest": largest, "peak": _peak() - before}


def _peak() -> int:
    """MB that this process took at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    if sys.argv[1] == "survey":
        print(json.dumps(survey(int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        for name, content in files(1000):
            Path(sys.argv[1], name).write_bytes(content)
