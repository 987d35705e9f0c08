"""The user's side of a conversation: frames in, what the person says and when they are done out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from voice.agent.events import Event, Heard, SpeechEnded, SpeechStarted, Trouble, TurnEnded
from voice.agent.listening.options import ListeningOptions
from voice.agent.listening.recognition import OpenListener, TurnRecognition, WholeTurn
from voice.agent.listening.turn import LateFrame, PauseJudgement, UserTurn
from voice.agent.listening.voice_activity import VoiceActivity
from voice.agent.work import Lane, Task
from voice.errors import VoiceError
from voice.types import UNDETERMINED, Recognizer, SpeechDetector, TurnDetector
from voice.vad import Region

RECOGNITION_FAILED_SILENCE = 0.8  # seconds of silence that end a turn whose words could not be recognized
CLEAR = 0.8  # P(speech) below which a pause may begin, whose words should not have to wait for a partial's
ONSET = 3  # frames of an echo that may hold the beginning of somebody's speech
JUDGED = 8.0  # seconds of a turn's end by which it is judged whether the turn is complete
PAUSED = 2.0  # seconds of silence in a turn after which the wait for a new word begins anew
HELD_SILENCE = 5.0  # seconds of a silence inside a turn that are held at most before the recognizer gets them


class User:
    """One person's side of one conversation. `turn` is the turn under way, None where there is none.

    `ready` is when the words of the last turn, and how long to wait after them, were known (see Task.ready).
    """

    def __init__(
        self,
        detector: SpeechDetector,
        recognizer: Recognizer,
        turn_detector: TurnDetector,
        options: ListeningOptions,
        lanes: Callable[[], Lane],
        open_listener: OpenListener = WholeTurn,
    ) -> None:
        self.turn_detector, self.recognizer = turn_detector, recognizer
        self.turn: UserTurn | None = None
        self.ready = 0.0
        self._options, self._open_listener = options, open_listener
        self._words_lane, self._sound_lane = lanes(), lanes()
        self._activity = VoiceActivity(detector, options)
        self._now = 0.0  # the conversation's time at the end of the last frame
        self._agent_speaks = False

    @property
    def in_turn(self) -> bool:
        """Whether the person has begun and not yet ended a turn."""
        return self.turn is not None

    @property
    def speaking(self) -> bool:
        """Whether they speak at this moment, rather than pause."""
        return self._activity.speaking

    @property
    def suspected(self) -> bool:
        """Whether somebody may be about to speak."""
        return self._activity.suspected

    @property
    def silence(self) -> float:
        """Seconds of the pause up to now, in a turn."""
        if self.speaking or self.turn is None:
            return 0.0
        return self._activity.seconds(self._activity.count - self.turn.last)

    @property
    def voiced_seconds(self) -> float:
        """Seconds of speech without a pause up to now."""
        return self._activity.voiced_seconds

    @property
    def certainty(self) -> float:
        """How likely the sound since the last pause is speech, on average."""
        return self._activity.certainty

    @property
    def ending(self) -> bool:
        """Whether the turn is over and only its last words are waited for."""
        return self.turn is not None and self.turn.is_ending

    @property
    def pending(self) -> list[Task[object]]:
        """What is being worked on just now."""
        return self.turn.pending if self.turn else []

    def text_before_likely_end(self, within: float) -> str:
        """Return the words of a turn that is likely to end `within` so many seconds; "" where it is not."""
        turn = self.turn
        if turn is None or self.speaking or not turn.recognition.is_final:
            return ""
        endpoint = turn.pause.endpoint_after
        is_likely = endpoint is not None and endpoint - self.silence <= within
        return turn.recognition.text if is_likely else ""

    @property
    def language(self) -> str:
        """The language of the words of the turn under way; UNDETERMINED where none is."""
        return self.turn.recognition.language if self.turn else UNDETERMINED

    def overheard(self, agent_speaks: bool, agent_echoes: bool) -> None:
        """Follow whether the agent speaks at this moment, and whether the microphone hears it."""
        self._agent_speaks = agent_speaks
        self._activity.overheard(agent_speaks, agent_echoes)

    def use(self, options: ListeningOptions) -> None:
        """Listen in another way from the next turn on; where somebody speaks, thresholds stay."""
        self._activity.use(options)
        self._options = options

    def take(self, samples: np.ndarray, now: float, echo: bool = False) -> Iterator[Event]:
        """Take the next (hop,) samples, which end at `now`; an `echo` is sound of the agent.

        It begins no speech and, unless somebody speaks, is not kept: in a pre-roll it would be taken for
        theirs, while in the middle of speech it may be theirs after all.
        """
        self._now = now
        if self.turn and self.turn.is_ending:  # what comes before its last words are known is no part of it
            self.turn.late.append(LateFrame(samples, now, echo))
            yield from self._collect(self.turn)
            return
        activity, was_speaking = self._activity, self.speaking
        region = activity.take(samples, now, echo)
        if self.turn:
            self.turn.recognition.hold(activity.last)
            activity.keep(round(JUDGED / activity.seconds(1)))
        elif echo:
            activity.keep(ONSET)
        if self.speaking and not was_speaking:
            yield self._start()
        if region and self.turn:
            yield from self._pause(self.turn, region)
        if self.turn:
            yield from self._follow(self.turn)
        else:
            activity.keep_pre_roll()

    def look(self) -> None:
        """Have the final words of the turn so far made now."""
        turn = self.turn
        if turn and turn.recognition.finish(self._now) and (not self.speaking or turn.is_stale):
            self._judge_sound(turn, self._activity.count if self.speaking else turn.last)

    def drop(self) -> None:
        """Forget what has been said in this turn: it is no turn, and speech that goes on begins another.

        A turn that is over, whose last words are waited for, is one: only what came since is dropped.
        """
        self._activity.finish()
        self._activity.keep(1)
        if self.turn and self.turn.is_ending:
            self.turn.late = [late.without_sound() for late in self.turn.late]
        else:
            self.turn = None

    def finish(self) -> Iterator[Event]:
        """End the turn: no more will be heard for now. In threads its last words come later."""
        region = self._activity.finish()
        if self.turn:
            self.turn.is_ending = True
            if region:
                yield from self._pause(self.turn, region)
            if self.turn:
                yield from self._collect(self.turn)

    def idle(self) -> Iterator[Event]:
        """Yield what the work has brought, in a moment in which nothing is heard."""
        if self.turn:
            yield from self._collect(self.turn)

    # ---- within a turn

    def _start(self) -> Event:
        """Begin a turn, or go on with the one under way after a pause."""
        activity = self._activity
        began = activity.time(activity.began)
        if self.turn is None:
            options, frames = self._options, activity.held_frames
            listener = self._open_listener(self.recognizer, activity.rate, options.language, options.hotwords)
            origin = activity.time(activity.count - len(frames))
            recognition = TurnRecognition(listener, self._words_lane, frames, origin, began)
            self.turn = UserTurn(began, recognition, PauseJudgement(self._sound_lane))
        elif began - activity.time(self.turn.last) >= PAUSED:
            self.turn.recognition.news = began
        self.turn.recognition.is_final = False
        self.turn.pause.forget()
        return SpeechStarted(self._now, began)

    def _pause(self, turn: UserTurn, region: Region) -> Iterator[Event]:
        """Take note that the speech has paused, and have its words made unless that was done ahead."""
        turn.last = region.last
        if turn.glanced != region.last:
            turn.pause.endpoint_after = None
            self.look()
        yield from self._collect(turn)
        text = turn.recognition.text if self.turn is turn else ""
        yield SpeechEnded(self._now, self._activity.time(region.last), text)

    def _follow(self, turn: UserTurn) -> Iterator[Event]:
        """Do what each frame of a turn may call for: looking ahead, feeding, collecting, ending."""
        activity, recognition = self._activity, turn.recognition
        if activity.quiet == 1:
            self._look_ahead(turn)
        unfed = activity.seconds(recognition.unfed_count)
        if activity.last.probability >= CLEAR:
            if unfed >= self._options.feed_interval and self.speaking:
                recognition.feed(self._now, speech=True)
        elif unfed >= HELD_SILENCE and not self.speaking:  # the host may never end the turn
            recognition.feed(self._now, speech=False)
        yield from self._collect(turn)
        if self.turn is turn:
            yield from self._end_overlong_turn(turn)

    def _look_ahead(self, turn: UserTurn) -> None:
        """Judge the sound and make the words at once where a pause may begin: five times of six it does.

        While the agent speaks, who only listens says a word or two, which are not asked for twice.
        """
        end = self._activity.count - self._activity.quiet
        self._judge_sound(turn, end)
        if not (turn.recognition.finishing or self._agent_speaks):
            turn.pause.endpoint_after, turn.glanced = None, end
            self.look()

    def _judge_sound(self, turn: UserTurn, end: int) -> None:
        """Judge whether the turn's sound up to frame `end` is complete, unless that is under way."""
        if not turn.pause.is_judging(end):
            turn.pause.judge_sound(self.turn_detector, self._activity.sound_to(end), end, self._now)

    def _collect(self, turn: UserTurn) -> Iterator[Event]:
        """Yield what the work has brought since the last frame, and the end of the turn if this is it."""
        recognition = turn.recognition
        try:
            yield from recognition.collect_partial(self._now)
            if recognition.has_finished:
                is_done = yield from recognition.collect_final(self._now)
                if is_done:
                    self.ready = recognition.ready
                else:
                    self.look()
                self._decide(turn)
                if not turn.is_ending:
                    return  # the end, if this is one, is for the next frame: first it is seen what was said
            self._decide(turn)
        except VoiceError as error:
            yield Trouble(self._now, str(error))
            recognition.is_final, turn.pause.endpoint_after = True, RECOGNITION_FAILED_SILENCE
        if turn.is_ending and not recognition.finishing:
            yield from self._end(turn)
        elif recognition.is_final and not self.speaking and turn.pause.endpoint_after is not None:
            if self.silence >= turn.pause.endpoint_after:
                yield from self._end(turn)

    def _decide(self, turn: UserTurn) -> None:
        """Decide how long to wait in this pause, once both the words and the sound are known."""
        ready = turn.pause.decide(self.turn_detector, turn.recognition)
        if ready is not None:
            self.ready = max(self.ready, ready)

    def _end_overlong_turn(self, turn: UserTurn) -> Iterator[Event]:
        """End a turn that goes on for too long, or for long without words."""
        options, recognition = self._options, turn.recognition
        is_overdue = self._now - recognition.news >= options.no_new_word_timeout
        if self.speaking and self._now - turn.began >= options.longest_turn:
            yield from self.finish()
        elif turn.is_stale and not recognition.finishing and not turn.pause.pending:
            turn.is_stale = False
            if is_overdue and turn.pause.endpoint_after != math.inf:
                yield from self.finish()
        elif self.speaking and not turn.is_stale and is_overdue:
            turn.is_stale = True
            self.look()

    def _end(self, turn: UserTurn) -> Iterator[Event]:
        """End the turn, and take the frames that came while its last words were waited for."""
        activity, recognition = self._activity, turn.recognition
        activity.keep(activity.count - turn.last)
        self.turn = None
        yield TurnEnded(self._now, turn.began, activity.time(turn.last))
        yield Heard(self._now, recognition.text, recognition.words, recognition.language)
        for late in turn.late:
            yield from self.take(late.samples, late.now, late.echo)
