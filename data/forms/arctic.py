"""CMU ARCTIC and folders like it: 1,132 short phonetically balanced prompts, one voice a folder.

Seven voices of Carnegie Mellon University (bdl, slt, clb, rms, jmk, awb, ksp; more followed), an
hour each at 16 kHz, by John Kominek and Alan W Black (2003); http://festvox.org/cmu_arctic.
Rights: free for any use, with the university's notice kept. Many voices made for Festival or
Rhasspy (kathleen: CC0) have the same layout.

The source is a voice's folder (etc/txt.done.data beside wav/) or one that holds several. There are no
splits, and all voices read the same prompts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.locating import Locator, walk
from data.reading import read_lines
from data.rows import Fault, Found, Row

NAME = "CMU ARCTIC"
PROMPTS = "txt.done.data"
PROMPT = re.compile(r'^\(\s*(\S+)\s+"(.*)"\s*\)\s*$')  # ( arctic_a0001 "Author of the …" )
VOICE = re.compile(r"^cmu_\w+?_(\w+)_arctic")


def recognizes(source: Path) -> bool:
    """Tell whether there are prompts of Festival's."""
    return source.is_dir() and next(_prompts(source), None) is not None


def rows(source: Path) -> Iterator[Found]:
    """Yield the prompts of all voices in the folder."""
    for prompts in _prompts(source):
        yield from _voice(prompts)


def _prompts(source: Path) -> Iterator[Path]:
    return (path for path in walk(source) if path.name == PROMPTS)


def _voice(prompts: Path) -> Iterator[Found]:
    folder = prompts.absolute().parent
    folder = folder.parent if folder.name == "etc" else folder
    named = VOICE.match(folder.name)
    voice = named[1] if named else folder.name
    locate = Locator(folder)
    for number, line in enumerate(read_lines(prompts), 1):
        prompt = PROMPT.match(line.strip())
        if prompt is None:
            yield Fault(f"{prompts}, row {number}", f'not ( id "text" ): {line.strip()!r}')
            continue
        name, text = prompt[1], prompt[2].replace('\\"', '"')
        yield Row(f"{voice}-{name}", locate(name), text, voice, "en")
