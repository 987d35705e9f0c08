"""Talk about the conversation: repetition, pace, silence, greetings, and what the agent can do."""

from __future__ import annotations

from typing import Literal

from voice.agent.skills.parameters import Verbatim
from voice.agent.skills.registry import Context, skill
from voice.types import SpeedChange

PACE_STEP = 0.85  # of the speed so far, each time that somebody asks for slower speech


@skill(
    "[repeat, say] [that, it, the answer, your answer, yourself] (once more, again, one more time)",
    "(sorry) [what did you (just) say, what was that, come again, pardon, pardon me, sorry, what]",
    "[once more, say again, again, repeat]",
    "i [did not, didn't] [hear, catch, get, understand] [that, you, it]",
    offered=False,
    at_once=True,
)
def repeat(context: Context) -> str:
    """Repeat the last answer."""
    return context.last or "I haven't said anything yet."


@skill("say $words", "repeat after me $words", offered=False)
def say(words: Verbatim) -> str:
    """Say what you ask for."""
    return f"{words[:1].upper()}{words[1:]}."


@skill(
    "[stop, be quiet, quiet, never mind, cancel, shut up, enough, that is enough, that is all, hush]",
    "stop [it, that, talking, speaking]",
    "[wait, hold on, hang on] (a [second, moment, minute])",
    offered=False,
    at_once=True,
)
def stop() -> str:
    """Be quiet."""
    return ""


_SPEAK_PHRASE = (
    "(please) ([speak, talk, read, say it, say that, go]) (a bit, a little, a little bit, much, even)"
)


@skill(
    f"{_SPEAK_PHRASE} [slower, more slowly, slowly, less fast] (please)",
    f"{_SPEAK_PHRASE} not so fast",
    "[slow down, you are too fast, you [speak, talk, are speaking, are talking] too fast, too fast]",
    "slow down (a bit, a little)",
    effect=True,
    offered=False,
    at_once=True,
)
def slower(context: Context) -> str:
    """Speak slower."""
    return pace("slower", context)


@skill(
    f"{_SPEAK_PHRASE} [faster, more quickly, quicker, less slowly] (please)",
    "[speed up, you are too slow, you [speak, talk, are speaking, are talking] too slowly, too slow]",
    "speed up (a bit, a little)",
    effect=True,
    offered=False,
    at_once=True,
)
def faster(context: Context) -> str:
    """Speak faster."""
    return pace("faster", context)


@skill(
    "[speak, talk] [normally, at (a, the, your) normal [speed, pace]]",
    "[normal, usual] [speed, pace]",
    effect=True,
    offered=False,
    at_once=True,
)
def normal_pace(context: Context) -> str:
    """Speak at the usual pace."""
    return pace("normal", context)


@skill(effect=True)
def pace(change: Literal["slower", "faster", "normal"], context: Context) -> str:
    """Change how fast you speak, when the person asks for it."""
    times = {"slower": PACE_STEP, "faster": 1 / PACE_STEP, "normal": None}[change]
    context.speed_changes.append(SpeedChange(times))
    return {"slower": "I'll speak slower.", "faster": "I'll speak faster.", "normal": "Back to normal."}[
        change
    ]


@skill(
    "help (me)",
    "what [can you do, can i ask, can i say, do you do, can you help with, else can you do, are your skills]",
    "what [can i, should i] [ask, say to] (you)",
    "how can you help (me)",
    "[everything, all, what] (that) (all) you can do",
    "[list, name] [everything, all] (that) you can do",
    "[list, name] (all) your skills",
    offered=False,
)
def help(context: Context) -> str:
    """Say what I can do."""
    known = [each for each in context.skills if each.phrases and each.name not in _NOT_IN_HELP]
    if context.documents is None:
        known = [each for each in known if each.name not in ("ask_files", "list_files")]
    return "I can do these things. " + ". ".join(each.summary.rstrip(".") for each in known) + "."


_NOT_IN_HELP = frozenset(
    "help hello how_are_you thanks goodbye who stop say percentage normal_pace confirm_dropping alarm"
    " time_nowhere answer_from_files".split()
)


@skill(
    "[hello, hi, hey, good morning, good afternoon, good evening, hello there, hi there, hey there]",
    offered=False,
)
def hello() -> str:
    """Say hello."""
    return "Hello. What can I do for you?"


@skill("how are you (doing) (today)", offered=False)
def how_are_you() -> str:
    """Say how I am."""
    return "I'm well, and listening."


@skill(
    "[thank you, thanks] (very much, so much, a lot)",
    "[great, good, perfect, nice, cool, ok, okay]",
    offered=False,
)
def thanks() -> str:
    """Take thanks."""
    return "You're welcome."


@skill("[goodbye, bye, bye bye, good night, see you, see you later]", offered=False)
def goodbye() -> str:
    """Say goodbye."""
    return "Goodbye."


@skill("who are you", "what is your name", "what are you", offered=False)
def who() -> str:
    """Say who I am."""
    return "I'm a voice agent. I run on this computer, and nothing you say leaves it."


_JOKES = (
    "Why did the clock go to the doctor? It had too much time on its hands.",
    "I wanted to tell you a joke about silence, but there was nothing to say.",
    "Why was the microphone so calm? It had heard it all before.",
    "What does a loudspeaker eat? Sound bites.",
    "Why do bees hum? They have forgotten the words.",
    "What did the zero say to the eight? Nice belt.",
)


@skill("[tell, give] me (a, another, one more, a good) joke", "(a, another, one more) joke",
       "[tell, make, do you know] (a, another) (good) [joke, jokes]", "say something funny", "make me laugh",
       offered=False)  # fmt: skip
def joke(context: Context) -> str:
    """Tell a joke."""
    return context.random.choice(_JOKES)
