"""How the agent takes turns: real recordings are said to a server in real time, through its WebSocket.

    python -m benchmarks.agent [--split test] [--only NAME…] [--share 0.1] [--modelled] [--json]

The server runs in a process of its own, with the offline brain and a skill that tells stories, so that
the agent speaks where a case asks for it. Beside it, on the same sounds, a plain detector of 800 ms of
silence. `--modelled` leaves the server out: time is then that of the samples, and computing counts its
processor time as if it ran beside them; that is faster, and for tuning on `--split dev`.

Coughs, claps, keyboards and music are made here (see benchmarks.turn_taking.noises), "mm-hm" and the
like are said by the agent's voice; speech and the noises of rooms are recordings.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.serving import start_server
from benchmarks.turn_taking.cases import PARTS, Case, Measures, Pairs, Part, Played, play, requirement
from benchmarks.turn_taking.sessions import Direct, Plain, Session
from benchmarks.turn_taking.sounds import CaseSounds
from benchmarks.turn_taking.stories import STORIES
from benchmarks.turn_taking.wire import Wire, refusal_reason
from voice.agent import Brains, Choice, Models

SESSIONS = 4
SKILL = Path(__file__).parent / "turn_taking" / "stories.py"


def play_live(url: str, part: Part, cases: Sequence[Case], report: Callable[[str], None]) -> Pairs:
    """Play cases to the server, `part.lanes` at a time."""

    def one(number: int) -> Played:
        session = Wire(url, jitter=part.jitter, seed=number)
        played = play(session, cases[number])
        report(f"{number + 1}/{len(cases)}")
        played.gaps, played.late = session.buffer.gaps, session.late
        return played

    with ThreadPoolExecutor(part.lanes) as pool:
        return [*zip(cases, pool.map(one, range(len(cases))), strict=True)]


def play_modelled(opened: Callable[[], Session], cases: Sequence[Case]) -> Pairs:
    """Play cases in this process."""
    return [(case, play(opened(), case)) for case in cases]


def is_one_too_many_refused(url: str) -> Measures:
    """Tell whether the server turns away one client more than it has places, and gives a reason."""
    sessions = [Wire(url) for _ in range(SESSIONS)]
    reason = refusal_reason(url)
    for session in sessions:
        session.close()
    return {f"client {SESSIONS + 1} of {SESSIONS} refused with a reason": float("taken" in reason)}


def row(measure: str, agent: float, peer: Measures) -> dict[str, object]:
    """Return one line of the table: the measures of a part, the agent's and the peer's."""
    beside = round(peer[measure], 2) if measure in peer else ""
    return {
        "measure": measure,
        "agent": round(agent, 2),
        "must": requirement(measure),
        "800 ms of silence": beside,
    }


def table(rows: Sequence[dict[str, object]]) -> str:
    lines = [f"{'':44} {'agent':>8}  {'must be':8} {'800 ms of silence':>17}"]
    for each in rows:
        measure, agent, wanted, peer = each.values()
        lines.append(f"{measure:44} {agent!s:>8}  {wanted:8} {peer!s:>17}")
    return "\n".join(lines)


def main(
    corpora: Annotated[Path, typer.Option(help="Folder of speech corpora.")] = Path("../shared/corpora"),
    split: Annotated[str, typer.Option(help="dev to tune on, test to measure on.")] = "test",
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PARTS)}; may be repeated.")] = None,
    share: Annotated[float, typer.Option(help="Of the cases.")] = 1.0,
    modelled: Annotated[
        bool, typer.Option("--modelled", help="Without a server, faster than real time.")
    ] = False,
    peer: Annotated[bool, typer.Option(help="The plain detector beside it.")] = True,
    port: Annotated[int, typer.Option(help="Of the server that is started.")] = 8766,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    unknown = set(only or ()) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}")
    models, began = Models.load(threads=1), time.monotonic()
    notes = Path(tempfile.mkdtemp()) / "notes"
    sounds = CaseSounds(corpora, split, models.synthesizer)
    story, url = [*models.synthesizer.speak(STORIES[0])], f"http://127.0.0.1:{port}"
    brains = Brains(Choice(skills=SKILL, notes=notes))
    if not modelled:
        settings = {"VOICE_SKILLS": str(SKILL), "VOICE_NOTES": str(notes), "VOICE_BRAIN": "offline"}
        start_server(port, "--sessions", str(SESSIONS), environment=settings)
    rows = []
    for name in only or PARTS:
        part = PARTS[name]
        cases = [*part.cases(sounds, max(1, round(share * part.count)))]

        def report(what: str, name: str = name) -> None:
            print(f"{time.monotonic() - began:5.0f} s  {name} {what}", file=sys.stderr, flush=True)

        report(f"{len(cases)} cases, {sum(case.seconds for case in cases) / part.lanes:.0f} s")
        pairs = (
            play_modelled(lambda: Direct(models, brains), cases)
            if modelled
            else play_live(url, part, cases, report)
        )
        beside = part.measure(play_modelled(lambda: Plain(models.detector, story), cases)) if peer else {}
        rows += [row(measure, value, beside) for measure, value in part.measure(pairs).items()]
    if not modelled:
        rows += [row(measure, value, {}) for measure, value in is_one_too_many_refused(url).items()]
    print(json.dumps(rows, indent=1) if as_json else table(rows))


if __name__ == "__main__":
    typer.run(main)
