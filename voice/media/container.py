"""Open media from anybody: no other file or address, and only the formats that people have.

FFmpeg may open nothing besides the one file, and knows only the containers and the codecs that are listed
here: playlists, scripts, devices and generators of tones are none of them.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from voice.errors import AudioError
from voice.media.mp4_tables import check_tables
from voice.media.source import BLOCK, HEADER_LIMIT, Media, convert_read_errors

if TYPE_CHECKING:
    from av.container import InputContainer

# As FFmpeg names its demuxers. What refers to other files or is none (hls, concat, image2, sdp, lavfi,
# sbg, tty …) is left out.
CONTAINERS = (
    "wav,w64,aiff,au,caf,voc,nistsphere,sox,ircam,avr,pvf,mp3,aac,loas,ac3,eac3,dts,dtshd,truehd,mlp,amr,"
    "amrnb,amrwb,gsm,g722,sln,alaw,mulaw,qcp,ilbc,flac,ogg,ape,wv,tta,tak,shn,mpc,mpc8,dsf,iff,dss,oma,"
    "matroska,webm,mov,mp4,mpeg,mpegts,avi,flv,live_flv,kux,asf,asf_o,rm,xwma,wtv,mxf,nut,dv"
)
# How files in them are called: what is taken from a folder, and offered to be uploaded.
RECORDINGS = frozenset(
    (
        ".aac .ac3 .aif .aifc .aiff .amr .au .caf .eac3 .flac .m4a .m4b .mka .mp2 .mp3 .mpga .oga .ogg .opus"
        " .snd .spx .tta .w64 .wav .wave .wma .wv"
        " .3g2 .3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv"
    ).split()
)
_CODEC = re.compile(
    r"aac|aac_latm|e?ac3|dca|truehd|mlp|alac|amr[nw]b|ape|atrac[13]|atrac3plus|cook|dsd_\w+|dss_sp|dvaudio|"
    r"evrc|flac|g72\w+|gsm|gsm_ms|ilbc|imc|mace[36]|mp[123]|mp[23]float|mp1float|mpc[78]|nellymoser|opus|"
    r"libopus|libopencore_amr[nw]b|pcm_\w+|adpcm_(adx|ima_qt|ima_wav|ms|swf|yamaha|ct|xa)|qcelp|qdm2|"
    r"qdmc|ralf|real_(144|288)|s302m|shorten|sipr|speex|tak|truespeech|tta|vorbis|wavpack|wma\w+|8svx_\w+"
)
_STEP = 60.0  # seconds that FFmpeg may take for one packet
_AT_ONCE = 1024  # bytes of what arrives that are decoded together, 0.03 s of speech
_AS_IT_COMES = {"probesize": "32", "analyzeduration": "0"}  # the first bytes are enough to begin
_LARGEST = 2**27  # bytes that FFmpeg gets in one piece: its tables grow with what a header claims
_STREAMS = 128  # in one container: each has a decoder of its own


@contextmanager
def open_container(media: Media) -> Iterator[InputContainer]:
    """Open the FFmpeg container that `media` holds from its `start` on. Raises AudioError."""
    import av

    _bound_memory()
    media.begin()
    form, known = media.form, _AS_IT_COMES | dict(media.form.options) if media.form else {}
    with convert_read_errors(media.called):
        if not form:  # no MP4 is decoded as it comes
            check_tables(media)
        media.seek(0)
        media.allow(HEADER_LIMIT)
        try:
            container = av.open(
                media,
                "r",
                metadata_errors="ignore",
                format=form.name if form else None,
                buffer_size=_AT_ONCE if form else BLOCK,
                timeout=None if form else _STEP,
                container_options={
                    "protocol_whitelist": "none",
                    "format_whitelist": form.name if form else CONTAINERS,
                    "codec_whitelist": ",".join(codecs()),
                    "max_streams": str(_STREAMS),
                    **known,
                },
            )
        except av.FFmpegError as error:
            media.check()
            raise AudioError(_unreadable(media)) from error
        media.check()
        media.allow(None)
    with container:
        yield container


def _unreadable(media: Media) -> str:
    """Return the message for media that FFmpeg cannot open."""
    if media.form:
        return (
            f"{media.called} begins as {media.form.name} and cannot be decoded; "
            "pipe WAV or raw sound, 16 bits, 16 kHz, mono"
        )
    return f"{media.called} cannot be read as sound or video; check that it is one and that it is whole"


@cache
def codecs() -> frozenset[str]:
    """Return the names of the decoders that files may use: only of sound, in formats that people have."""
    import av

    return frozenset(name for name in av.codecs_available if _CODEC.fullmatch(name))


@cache
def _bound_memory() -> None:
    """Let FFmpeg in this process take no single piece of memory that is larger than `_LARGEST`."""
    import av.buffer

    try:  # PyAV has no name for it; its modules are linked to the library that has
        limit = ctypes.CDLL(av.buffer.__file__).av_max_alloc
    except (AttributeError, OSError):
        return
    limit.argtypes, limit.restype = [ctypes.c_size_t], None
    limit(_LARGEST)
