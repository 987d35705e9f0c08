"""Spelling, coins, dice and random numbers."""

from __future__ import annotations

from voice.agent.language.wording import capitalize_first, join_words
from voice.agent.skills.registry import Context, skill

MOST_DICE = 20
LONGEST_SPELLED = 60


@skill(
    "spell (the word, out, the name) $word",
    "how [do you, do i, would you, to, is] spell (the word) $word",
    "how is $word spelled",
    "how [do you, would you] write $word",
    "what is the spelling of $word",
    offered=False,
)
def spell(word: str) -> str:
    """Spell a word."""
    if len(word) > LONGEST_SPELLED:
        return "That is too long to spell."
    letters = [each.upper() for each in word if each.isalnum()]
    return f"{capitalize_first(word)}: {', '.join(letters)}." if letters else "I heard nothing to spell."


@skill("[flip, toss, throw] a coin", "heads or tails", "coin flip")
def coin(context: Context) -> str:
    """Flip a coin."""
    return context.random.choice(("Heads.", "Tails."))


@skill(
    "[roll, throw] [a, the, one] [die, dice]",
    "[roll, throw] (a, the) [dice, die]",
    "[roll, throw] $count dice",
    "[roll, throw] [a, an] $sides sided [die, dice]",
)
def dice(context: Context, count: int = 1, sides: int = 6) -> str | None:
    """Roll dice."""
    if not (1 <= count <= MOST_DICE and 2 <= sides <= 1000):
        return f"I can roll up to {MOST_DICE} dice."
    rolled = [context.random.randint(1, sides) for _ in range(count)]
    if count == 1:
        return f"{rolled[0]}."
    return f"{join_words([str(each) for each in rolled])}, which makes {sum(rolled)}."


@skill(
    "[pick, choose, give me, think of] a (random) number between $low and $high",
    "a number from $low to $high",
)
def random_number(low: int, high: int, context: Context) -> str:
    """Pick a number between two others."""
    return f"{context.random.randint(min(low, high), max(low, high))}."
