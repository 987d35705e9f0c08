"""Ask the voice agent a question by voice; it answers with a skill that is defined here.

python examples/agent.py
"""

import voice
from voice.agent import Models, Offline, SkillRunner, answers, skill, start, talk
from voice.agent.events import Heard, Spoken
from voice.agent.skills.registry import skill_from

STOCK = {"sugar": 2, "rice": 5}


@skill("[do we have, is there] (any) $thing")
def stock(thing: str) -> str | None:
    """Say how much there is of something in the pantry."""
    return f"There are {STOCK[thing]} kilos of {thing}." if thing in STOCK else None


def main() -> None:
    models = Models.load()
    agent = start(models, brain=Offline(SkillRunner([skill_from(stock)])))
    events = list(talk(voice.speak("Do we have any sugar?").audio, agent))
    for event in events:
        if isinstance(event, Heard):
            print("you:  ", event.text)
        elif isinstance(event, Spoken):
            print("agent:", event.text)
    voice.write("answer.wav", answers(events, models.synthesizer.rate))


if __name__ == "__main__":
    main()
