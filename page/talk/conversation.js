// The conversation: takes events of the server, decides what is shown, played and sent.
import { Outbox } from "./outbox.js";
import { decode, encode } from "./pcm.js";
import { HANDLERS } from "./server_events.js";
import { addText, newAgentTurn, newPersonTurn, splitAtPlayback, textOf } from "./turns.js";

const REPORT_INTERVAL = 200; // ms between two reports of what has been played
const MAX_RESENT = 40; // turns that are sent to a new session
const MIN_LOST_SPEECH = 200; // ms of lost speech from which on the person is told
const TOO_SLOW = "The line is too slow: a part of what you said is lost. Please say it again.";
const ENDING = "The server is about to stop.";

/**
 * `view` shows it (see view.js); `settings()` returns what the person has chosen; `now()` is the time in ms.
 * A conversation outlasts its connection and its sound, which `begin` sets.
 */
export class Conversation {
  constructor({ view, settings, now = () => performance.now() }) {
    Object.assign(this, { view, settings, now, turns: new Map(), phase: "connecting", ending: false });
    this.reset();
  }

  /** Continues over another connection and with other sound. */
  begin(connection, sound) {
    Object.assign(this, { connection, sound, phase: "connecting" });
    this.reset();
  }

  /** Sets the state that belongs to one connection to its initial values. */
  reset() {
    Object.assign(this, { ready: false, hearing: false, pending: false, playing: null, paused: false });
    Object.assign(this, { silentSince: null, reportedAt: 0, latency: null });
    this.outbox = new Outbox((pcm) => {
      return this.connection.sendAudio({ type: "input_audio_buffer.append", audio: encode(pcm) });
    });
    this.responses = new Map(); // item → response
    this.discarded = new Set(); // responses whose further audio is not played
  }

  // ---- from the person

  /** Takes 20 ms from the microphone. They wait until the server is ready. */
  addFrame(frame) {
    this.outbox.add(frame, this.now());
    if (!this.ready) return;
    this.outbox.flush();
    if (this.outbox.lost < MIN_LOST_SPEECH) return;
    this.outbox.lost = 0;
    this.view.showTrouble(TOO_SLOW);
  }

  /** Stops the agent's answer. */
  interrupt() {
    if (!this.playing && !this.pending) return;
    this.connection.send({ type: "response.cancel" });
    for (const response of this.responses.values()) this.discarded.add(response);
    this.sound.flush();
    this.pending = false;
    this.updatePhase();
  }

  /** Sends the settings to the server. */
  configure() {
    if (!this.ready) return;
    const { voice, speed, instructions, brain } = this.settings();
    const output = { speed, ...(voice && { voice }) };
    const voiceExtras = { events: true, ...(brain && { brain }) };
    const session = { type: "realtime", audio: { output }, instructions, voice: voiceExtras };
    this.connection.send({ type: "session.update", session });
  }

  // ---- from the connection

  /** Closes all turns, as the connection has gone. */
  disconnect() {
    this.setEnding(false); // the phase says what is the matter now
    this.sound.flush();
    this.reset();
    for (const turn of this.turns.values()) this.closeTurn(turn);
    this.phase = "lost";
    this.view.showPhase(this.phase);
  }

  /** Handles an event of the server. */
  handle(event) {
    HANDLERS[event.type]?.(this, event);
    this.updatePhase();
  }

  /** Notes whether the server has announced that it stops, while the connection still lasts. */
  setEnding(ending) {
    if (ending !== this.ending) this.view.showTrouble(ending ? ENDING : "");
    this.ending = ending;
  }

  beginSession() {
    this.ready = true;
    this.configure();
    for (const turn of [...this.turns.values()].slice(-MAX_RESENT)) this.resend(turn);
    this.outbox.flush(); // as much as the connection takes at once; the rest follows with the next frames
  }

  /** Sends a turn of the previous session to the new one. */
  resend(turn) {
    const isPerson = turn.who === "person";
    const text = isPerson ? turn.stable : splitAtPlayback(turn)[0];
    const content = [{ type: isPerson ? "input_text" : "output_text", text }];
    const item = { type: "message", role: isPerson ? "user" : "assistant", content };
    if (text) this.connection.send({ type: "conversation.item.create", item });
  }

  // ---- the person's turns

  personTurn(id) {
    return this.findOrAdd(id, newPersonTurn);
  }

  setPartial({ item_id: id, stable, tail }) {
    const turn = this.personTurn(id);
    Object.assign(turn, { stable, tail });
    this.view.showTurn(turn);
  }

  endSpeech({ audio_end_ms: end }) {
    this.hearing = false;
    this.silentSince = this.outbox.capturedAt(end);
  }

  setTranscript({ item_id: id, transcript }) {
    const turn = this.personTurn(id);
    Object.assign(turn, { stable: transcript.trim(), tail: "", ended: true });
    if (turn.stable) this.view.showTurn(turn);
    else this.removeTurn(turn);
    if (!turn.stable) this.pending = false;
  }

  // ---- the agent's turns

  agentTurn({ item_id: id, response_id: response }) {
    this.responses.set(id, response);
    return this.findOrAdd(id, newAgentTurn);
  }

  addWords(event) {
    const turn = this.agentTurn(event);
    addText(turn, event.delta);
    this.view.showTurn(turn);
  }

  play(event) {
    if (this.discarded.has(event.response_id)) return;
    const turn = this.agentTurn(event);
    const samples = decode(event.delta);
    turn.received += samples.length / 24000;
    this.sound.play(turn.id, samples);
  }

  /** Takes a report of playback: `kind` is "started", "position", "finished" or "flushed". */
  updatePlayback({ kind, item, seconds }) {
    const turn = this.turns.get(item);
    if (!turn || turn.ended) return;
    turn.played = seconds;
    if (kind === "started") this.startPlayback(turn);
    if (kind === "finished" || kind === "flushed") this.endPlayback(turn, kind === "flushed");
    else this.view.showTurn(turn);
    this.reportPlayback(turn, kind);
    this.updatePhase();
  }

  startPlayback(turn) {
    Object.assign(this, { playing: turn.id, pending: false });
    if (this.silentSince !== null) this.view.showLatency((this.now() - this.silentSince) / 1000, this.latency);
    this.silentSince = null;
  }

  /** Sets notes on what the voice could not read of an answer. */
  setNotes({ item_id: id, notes }) {
    const turn = this.turns.get(id);
    if (!turn) return;
    turn.notes = notes;
    this.view.showTurn(turn);
  }

  endPlayback(turn, interrupted) {
    Object.assign(this, { playing: null, paused: false });
    Object.assign(turn, { interrupted, ended: true });
    if (interrupted) {
      const where = { item_id: turn.id, content_index: 0, audio_end_ms: Math.round(1000 * turn.played) };
      this.connection.send({ type: "conversation.item.truncate", ...where });
    }
    this.view.showTurn(turn);
  }

  /** Tells the server what the person has heard of the answer; it also expects an echo of that. */
  reportPlayback(turn, kind) {
    if (kind === "position" && this.now() - this.reportedAt < REPORT_INTERVAL) return;
    this.reportedAt = this.now();
    this.connection.send({ type: "voice.played", item_id: turn.id, audio_ms: Math.round(1000 * turn.played) });
  }

  /** Returns whether there is audio of the agent that has not been played to its end. */
  hasAudioLeft() {
    return [...this.turns.values()].some((turn) => turn.who === "agent" && !turn.ended && turn.received > 0);
  }

  /** Pauses playback or resumes it. Pausing with nothing to resume would silence the next answer. */
  setPaused(paused) {
    this.paused = paused;
    this.sound.setPaused(paused);
  }

  endResponse({ response }) {
    const items = [...this.responses].filter(([, id]) => id === response.id).map(([item]) => item);
    if (response.status === "failed") {
      this.view.showTrouble(response.status_details?.error?.message ?? "The answer failed. Please ask again.");
    }
    if (response.status === "cancelled") this.cancelResponse(response.id, items);
    if (response.status === "completed") items.forEach((item) => this.endWithoutAudio(item));
    if (!items.some((item) => this.turns.get(item)?.received)) this.pending = false;
  }

  /** Shows the whole text of an answer that has no audio. */
  endWithoutAudio(item) {
    const turn = this.turns.get(item);
    if (!turn || turn.received) return;
    turn.ended = true;
    this.view.showTurn(turn);
  }

  cancelResponse(response, items) {
    this.discarded.add(response);
    if (items.includes(this.playing)) this.sound.flush();
    for (const item of items) {
      const turn = this.turns.get(item);
      if (!turn || item === this.playing || turn.ended) continue;
      this.sound.drop(item); // it may wait in the player
      this.removeTurn(turn); // not a word of it was heard
    }
    if (this.paused && !this.hasAudioLeft()) this.setPaused(false);
  }

  // ---- all turns

  findOrAdd(id, make) {
    if (!this.turns.has(id)) this.turns.set(id, make(id));
    return this.turns.get(id);
  }

  removeTurn(turn) {
    this.turns.delete(turn.id);
    this.view.removeTurn(turn);
  }

  closeTurn(turn) {
    if (turn.ended) return;
    if (turn.who === "agent") Object.assign(turn, { interrupted: true });
    else Object.assign(turn, { stable: `${turn.stable} ${turn.tail}`.trim(), tail: "" });
    turn.ended = true;
    if (turn.who === "agent" ? textOf(turn) : turn.stable) this.view.showTurn(turn);
    else this.removeTurn(turn);
  }

  updatePhase() {
    const phase = !this.ready ? this.phase
      : this.playing && !this.paused ? "speaking"
      : this.pending && !this.hearing ? "thinking"
      : this.hearing ? "hearing"
      : "listening";
    if (phase !== this.phase) this.view.showPhase(phase);
    this.phase = phase;
  }
}
