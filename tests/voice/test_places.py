from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.cli.targets import write_text
from voice.places import partial_path
from voice.types import Audio

LONGEST = 255  # bytes of a file's name


@pytest.mark.parametrize("letter", ["a", "é", "語"])
def test_whatever_name_fits_can_be_written_by_way_of_its_partial(tmp_path: Path, letter: str) -> None:
    for ending in (".wav", ".txt"):
        path = tmp_path / (letter * ((LONGEST - 4) // len(letter.encode())) + ending)
        if ending == ".txt":
            write_text(path, "words")
        else:
            audio.write(path, Audio(np.zeros(1600, np.float32), 16_000))
        assert path.stat().st_size
    assert len(list(tmp_path.iterdir())) == 2


def test_a_partial_is_hidden_beside_its_file_and_its_own() -> None:
    one, other = (Path("folder") / ("a" * 245 + end) for end in ("b.wav", "c.wav"))
    assert partial_path(one) != partial_path(other)
    assert partial_path(one).parent == one.parent and partial_path(one).name.startswith(".")
    assert partial_path(Path("x.wav")).name.startswith(".x.wav.")
