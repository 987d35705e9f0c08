// What a dialog does at each event of the server, by the type of the event.

export const HANDLERS = {
  "session.created": (dialog) => dialog.created(),
  "input_audio_buffer.speech_started": (dialog) => {
    dialog.hearing = true;
    dialog.show.trouble(""); // of the turn before
  },
  "voice.partial": (dialog, event) => dialog.partial(event),
  "conversation.item.input_audio_transcription.delta": (dialog, { item_id: id, delta }) => {
    const turn = dialog.person(id);
    if (!turn.tail) dialog.partial({ item_id: id, stable: turn.settled + delta, tail: "" });
  },
  "conversation.item.input_audio_transcription.completed": (dialog, event) => dialog.understood(event),
  "input_audio_buffer.speech_stopped": (dialog, event) => dialog.stopped(event),
  "input_audio_buffer.committed": (dialog) => {
    Object.assign(dialog, { hearing: false, pending: !dialog.playing }); // "mm-hm" is not answered
  },
  "response.created": (dialog) => {
    dialog.pending = true;
  },
  "response.output_audio_transcript.delta": (dialog, event) => dialog.words(event),
  "voice.words": (dialog, event) => dialog.agent(event).words.push(...event.words),
  "voice.notes": (dialog, event) => dialog.noted(event),
  "response.output_audio.delta": (dialog, event) => dialog.play(event),
  "response.output_audio.done": (dialog, event) => {
    dialog.agent(event).whole = true;
    dialog.sound.end(event.item_id);
  },
  "response.done": (dialog, event) => dialog.done(event),
  "output_audio_buffer.cleared": (dialog) => dialog.sound.flush(),
  "voice.paused": (dialog) => dialog.hold(dialog.sounding()),
  "voice.resumed": (dialog) => dialog.hold(false),
  "session.ending": (dialog) => dialog.ends(true),
  "voice.latency": (dialog, event) => {
    dialog.detail = event;
  },
  error: (dialog, { error }) => {
    if (error.type === "invalid_request_error") console.warn(error.message); // it came too late, or is our fault
    else dialog.show.trouble(error.message);
  },
};
