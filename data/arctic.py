"""CMU ARCTIC and folders like it: 1,132 short phonetically balanced prompts, one voice a folder.

Seven voices of Carnegie Mellon University (bdl, slt, clb, rms, jmk, awb, ksp; more followed), an
hour each at 16 kHz, by John Kominek and Alan W Black (2003); http://festvox.org/cmu_arctic.
Rights: free for any use, with the university's notice kept. Many voices made for Festival or
Rhasspy (kathleen: CC0) have the same layout.

    python -m data.arctic cmu_us_slt_arctic OUT

SOURCE is a voice's folder (etc/txt.done.data beside wav/) or one that holds several. There are no
splits: a twentieth of the prompts each goes to dev and test, the same prompts for every voice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.preparing import Fault, Row, command, finish, lines
from voice.errors import ManifestError
from voice.manifest import Clip

PROMPTS = "txt.done.data"
PROMPT = re.compile(r'^\(\s*(\S+)\s+"(.*)"\s*\)\s*$')  # ( arctic_a0001 "Author of the …" )
VOICE = re.compile(r"^cmu_\w+?_(\w+)_arctic")


def prepare_arctic(source: Path, out: Path) -> list[Clip]:
    """Write the manifests of all voices in `source`. Raises ManifestError."""
    voices = sorted(source.rglob(PROMPTS))
    if not voices:
        raise ManifestError(f"{source} holds no {PROMPTS}: give the folder that a voice unpacks to")
    return finish((row for prompts in voices for row in _rows(prompts)), out)


def _rows(prompts: Path) -> Iterator[Row | Fault]:
    """Yield a row for each line of the prompts, or the fault of that line."""
    folder = prompts.absolute().parent
    folder = folder.parent if folder.name == "etc" else folder
    named = VOICE.match(folder.name)
    voice = named[1] if named else folder.name
    for number, line in enumerate(lines(prompts), 1):
        prompt = PROMPT.match(line.strip())
        if prompt is None:
            yield Fault(f"{prompts}, row {number}", f'not ( id "text" ): {line.strip()!r}')
            continue
        name, text = prompt[1], prompt[2].replace('\\"', '"')
        yield Row(f"{voice}-{name}", folder / "wav" / f"{name}.wav", text, voice)


if __name__ == "__main__":
    command(prepare_arctic, __doc__)
