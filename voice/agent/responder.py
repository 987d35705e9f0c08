"""The agent's side of a conversation: it prepares answers, gives them, and announces timers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from voice.agent.events import Event, Interrupted, LatencyMeter, Reply, Speaking, Spoken, Trouble
from voice.agent.options import ConversationOptions
from voice.agent.speaking.playback import Playback
from voice.agent.speaking.response import Response
from voice.agent.speculative import GeneratedReply, prepare
from voice.errors import BrainError, VoiceError
from voice.types import UNDETERMINED, Brain, Message, SpeculativeReply

APOLOGY = "Sorry, I can't think of an answer just now. Please try again."
Messages = tuple[Message, ...]


class Responder:
    """Answers what the user has said. `messages` is what has been said and heard by both, so far."""

    def __init__(self, brain: Brain, playback: Playback, options: ConversationOptions) -> None:
        self.brain, self.playback, self.options = brain, playback, options
        self.messages: list[Message] = []
        self.meter: LatencyMeter | None = None  # of the turn being answered
        self._prepared: tuple[Messages, Response] | None = None  # what may be asked, and the answer to it
        self._owes_answer = False  # to what was said while the agent did not yield
        self._announcements: list[str] = []

    @property
    def has_announcements(self) -> bool:
        """Whether something waits to be announced."""
        return bool(self._announcements)

    @property
    def expects_answer(self) -> bool:
        """Whether the agent has all but ended with a question, so that "yes" is an answer."""
        return self.playback.remaining < 1.0 and self.playback.text.rstrip().endswith("?")

    def prepare(self, text: str, now: float, language: str = UNDETERMINED) -> None:
        """Begin to answer a turn with the words `text`; the answer is thrown away if the person goes on."""
        messages = self._with_user(text, language)
        if not self._prepared or self._prepared[0] != messages:
            self.drop_prepared()
            self._prepared = messages, self._begin(messages, now)

    def drop_prepared(self) -> None:
        """Throw the answer that was prepared away."""
        if self._prepared:
            self._prepared[1].close()
        self._prepared = None

    def hear(self, text: str, now: float, language: str = UNDETERMINED) -> None:
        """Take what the person has said in a turn that is over, and answer it if that is wanted."""
        self.messages[:] = self._with_user(text, language)
        self.playback.language = language
        if self.playback.busy:
            self._owes_answer = True
        elif self.options.answers:
            self.reply(now)

    def reply(
        self, now: float, shown: Sequence[Message] | None = None, instructions: str | None = None
    ) -> None:
        """Answer the messages, or those that are `shown` to the brain instead, with other `instructions`."""
        messages = tuple(self.messages)
        if shown is None and instructions is None and self._prepared and self._prepared[0] == messages:
            response, self._prepared = self._prepared[1], None
        else:
            self.drop_prepared()
            begun = self.meter.turn_end if self.meter else now
            response = self._begin(messages if shown is None else tuple(shown), begun, instructions)
        self._owes_answer = False
        self.playback.say(response, now)

    def announce(self, text: str) -> None:
        """Have a text said as soon as nobody speaks."""
        self._announcements.append(text)

    def say_what_waits(self, now: float) -> None:
        """Say an announcement, or give an answer that is owed, now that nobody speaks."""
        if self._announcements:
            self._say(self._announcements.pop(0), now)
        elif self._owes_answer and self.options.answers:
            self.reply(now)

    def speak(self, now: float) -> Iterator[Event]:
        """Yield what is to be said next and, once it has been played, that all of it has been."""
        try:
            for event, ready in self.playback.speak(now):
                yield event
                yield from self._measure(event, now, ready)
        except VoiceError as error:
            yield Trouble(now, str(error))
            if isinstance(error, BrainError) and not self.playback.text:
                self._say(error.sayable or APOLOGY, now)
        yield from self.playback.fill(now, self.options.filler_after)
        if self.playback.end_if_played():
            said = self.playback.text.strip()
            if said or (self.messages and self.messages[-1].role == "user"):  # silence may be the answer
                self.messages.append(Message("assistant", said))
            yield Spoken(now, said)

    def stop(self, now: float, unless_before: float = 0.0) -> Interrupted:
        """Fall silent; what was heard before `unless_before` seconds of the answer is not remembered."""
        position, heard = self.playback.position, self.playback.stop()
        self.meter = None
        if heard and position >= unless_before:
            self.messages.append(Message("assistant", heard))
        return Interrupted(now, heard, position)

    def _with_user(self, text: str, language: str) -> Messages:
        """Return the messages with what the person says; before a word of an answer they only go on."""
        messages = list(self.messages)
        if messages and messages[-1].role == "user" and self.options.answers:
            text = f"{messages.pop().content} {text}"
        messages.append(Message("user", text, "" if language == UNDETERMINED else language))
        return tuple(messages[-self.options.max_messages :])

    def _begin(self, messages: Messages, now: float, instructions: str | None = None) -> Response:
        """Begin to answer some messages, with the conversation's instructions unless others are given."""
        brain = self.brain
        system = self.options.instructions if instructions is None else instructions
        shown = (Message("system", system), *messages) if system else messages
        return self.playback.prepare(lambda: prepare(brain, shown), now)

    def _say(self, text: str, now: float) -> None:
        self.playback.say(self.playback.prepare(_saying(text), now), now)

    def _measure(self, event: Event, now: float, ready: float) -> Iterator[Event]:
        """Yield the latency at the first sound of the answer to a turn."""
        meter = self.meter
        if meter and isinstance(event, Reply):
            meter.first_words = meter.first_words or ready
        elif meter and isinstance(event, Speaking):
            self.meter = None
            yield meter.measure(now, ready)


def _saying(text: str) -> Callable[[], SpeculativeReply]:
    """Return what makes a reply of one piece."""
    return lambda: GeneratedReply(lambda gate: iter((text,)))
