"""The forms in which people have recordings with transcripts: one module each, the most special first."""

from __future__ import annotations

from pathlib import Path

from data.forms import (
    arctic,
    common_voice,
    folder,
    huggingface,
    kaldi,
    lhotse,
    librispeech,
    ljspeech,
    manifest,
    nemo,
    parquet,
    speechbrain,
    speechocean762,
    table,
    vctk,
)
from data.forms.form import Form
from voice.errors import ManifestError

FORMS: tuple[Form, ...] = (
    speechocean762,
    kaldi,
    librispeech,
    common_voice,
    vctk,
    arctic,
    ljspeech,
    lhotse,
    nemo,
    speechbrain,
    huggingface,
    parquet,
    manifest,
    table,
    folder,
)


def recognize(source: Path) -> Form:
    """Return the form that a source has. Raises ManifestError where it is none that is known."""
    if not source.exists():
        raise ManifestError(f"{source} does not exist; name a folder of recordings, a table or a recording")
    for form in FORMS:
        if form.recognizes(source):
            return form
    raise ManifestError(
        f"{source} holds no recordings that can be told: give a folder with sound files, a table that names "
        f"them, or one of {', '.join(form.NAME for form in FORMS)}"
    )


def form_called(name: str) -> Form:
    """Return the form of that name, case and blanks ignored. Raises ManifestError for an unknown one."""
    plain = "".join(name.lower().split())
    for form in FORMS:
        if "".join(form.NAME.lower().split()) == plain:
            return form
    raise ManifestError(f"{name!r} is no form of data; there are {', '.join(form.NAME for form in FORMS)}")
