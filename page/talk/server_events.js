// What a conversation does at each event of the server, by the event's type.

export const HANDLERS = {
  "session.created": (conversation) => conversation.beginSession(),
  "input_audio_buffer.speech_started": (conversation) => {
    conversation.hearing = true;
    conversation.view.showTrouble(""); // that of the turn before
  },
  "voice.partial": (conversation, event) => conversation.setPartial(event),
  "conversation.item.input_audio_transcription.delta": (conversation, { item_id: id, delta }) => {
    const turn = conversation.personTurn(id);
    if (!turn.tail) conversation.setPartial({ item_id: id, stable: turn.stable + delta, tail: "" });
  },
  "conversation.item.input_audio_transcription.completed": (conversation, event) => conversation.setTranscript(event),
  "input_audio_buffer.speech_stopped": (conversation, event) => conversation.endSpeech(event),
  "input_audio_buffer.committed": (conversation) => {
    Object.assign(conversation, { hearing: false, pending: !conversation.playing }); // a backchannel gets no answer
  },
  "response.created": (conversation) => {
    conversation.pending = true;
  },
  "response.output_audio_transcript.delta": (conversation, event) => conversation.addWords(event),
  "voice.words": (conversation, event) => conversation.agentTurn(event).words.push(...event.words),
  "voice.notes": (conversation, event) => conversation.setNotes(event),
  "response.output_audio.delta": (conversation, event) => conversation.play(event),
  "response.output_audio.done": (conversation, event) => {
    conversation.agentTurn(event).complete = true;
    conversation.sound.end(event.item_id);
  },
  "response.done": (conversation, event) => conversation.endResponse(event),
  "output_audio_buffer.cleared": (conversation) => conversation.sound.flush(),
  "voice.paused": (conversation) => conversation.setPaused(conversation.hasAudioLeft()),
  "voice.resumed": (conversation) => conversation.setPaused(false),
  "session.ending": (conversation) => conversation.setEnding(true),
  "voice.latency": (conversation, event) => {
    conversation.latency = event;
  },
  error: (conversation, { error }) => {
    if (error.type === "invalid_request_error") console.warn(error.message); // it came too late, or is our fault
    else conversation.view.showTrouble(error.message);
  },
};
