"""A skill for benchmarks.agent (VOICE_SKILLS): half a minute of talk about one thing or another."""

from __future__ import annotations

from voice.agent import skill

STORIES = (
    "I can tell you about that. A mile has five thousand two hundred and eighty feet, and a kilometer"
    " has a thousand meters, so a mile is longer. The weather tomorrow will be mostly sunny, with a"
    " light breeze from the west. Violins are made of spruce and maple, since spruce is light and stiff."
    " Once upon a time there was a small village by the sea, where every house had a blue door and a cat"
    " on the roof. Nobody knew why the cats had come, and nobody asked them to leave.",
    "That is a long story. Early in the morning the baker lights his oven, and by six the whole street"
    " smells of bread. First come the nurses from the night shift, who want rolls with butter. Then come"
    " the children, two by two, with their coins in their hands. At noon he closes the shop and sleeps"
    " until three. In the evening he mixes flour, water, salt and a little yeast, covers the bowl with a"
    " cloth and goes for a walk along the river.",
    "Gladly. The garden behind the library is older than the library itself. A doctor planted the first"
    " pear trees there, because he had read that pears are good for the heart. His daughter added roses,"
    " yellow ones by the gate and white ones along the wall. When she was very old she gave it all to"
    " the town, on one condition: the gate must never be locked. It has been open ever since, in summer"
    " and in winter, by day and by night.",
    "Let me think. If you want to sail to the island, leave with the tide, an hour after sunrise. Keep"
    " the lighthouse on your left until you see two rocks that look like sleeping dogs. Between them the"
    " water is deep enough for any boat. Behind the rocks there is a quiet bay with a sandy beach, where"
    " you can drop your anchor and have breakfast. Be back before four o'clock, for in the afternoon the"
    " wind turns and the waves grow high.",
)


@skill("tell story $number", effect=False)
def story(number: int) -> str:
    """Tell one of a few stories."""
    return STORIES[number % len(STORIES)]
