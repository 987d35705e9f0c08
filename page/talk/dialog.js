// The conversation: events of the server in, what is shown, played and sent out.
import { Outbox } from "./outbox.js";
import { decoded, encoded } from "./pcm.js";
import { HANDLERS } from "./server_events.js";
import { addText, agentTurn, personTurn, spoken, textOf } from "./turns.js";

const TELL = 200; // ms between two reports of what has been played
const MEMORY = 40; // turns that a new session is told of
const SLOW = "The line is too slow: a part of what you said is lost. Please say it again.";
const ENDING = "The server is about to stop.";
const LEAST = 200; // ms of speech that are worth a word when they are lost

/**
 * `show` has `phase(name)`, `turn(turn)`, `gone(turn)`, `latency(seconds, detail)`, `trouble(text)`;
 * `chosen()` gives the settings, `now()` milliseconds. It lasts longer than its line and sound, which `begin` gives it.
 */
export class Dialog {
  constructor({ show, chosen, now = () => performance.now() }) {
    Object.assign(this, { show, chosen, now, turns: new Map(), phase: "connecting", ending: false });
    this.forget();
  }

  /** Goes on over another line, through other sound. */
  begin(line, sound) {
    Object.assign(this, { line, sound, phase: "connecting" });
    this.forget();
  }

  /** What belongs to one connection. */
  forget() {
    Object.assign(this, { ready: false, hearing: false, pending: false, playing: null, held: false });
    Object.assign(this, { silentSince: null, toldAt: 0, detail: null });
    this.outbox = new Outbox((pcm) => this.line.sendSound({ type: "input_audio_buffer.append", audio: encoded(pcm) }));
    this.responses = new Map(); // item → response
    this.dropped = new Set(); // responses that are played no more
  }

  // ---- from the person

  /** 20 ms from the microphone; before the server is ready they wait. */
  heard(frame) {
    this.outbox.add(frame, this.now());
    if (!this.ready) return;
    this.outbox.flush();
    if (this.outbox.lost < LEAST) return;
    this.outbox.lost = 0;
    this.show.trouble(SLOW);
  }

  /** Makes the agent fall silent. */
  hush() {
    if (!this.playing && !this.pending) return;
    this.line.send({ type: "response.cancel" });
    for (const response of this.responses.values()) this.dropped.add(response);
    this.sound.flush();
    this.pending = false;
    this.update();
  }

  /** Tells the server what is chosen. */
  configure() {
    if (!this.ready) return;
    const { voice, speed, instructions, brain } = this.chosen();
    const output = { speed, ...(voice && { voice }) };
    const voiceExtras = { events: true, ...(brain && { brain }) };
    const session = { type: "realtime", audio: { output }, instructions, voice: voiceExtras };
    this.line.send({ type: "session.update", session });
  }

  // ---- from the line

  lost() {
    this.ends(false); // the phase says what is the matter now
    this.sound.flush();
    this.forget();
    for (const turn of this.turns.values()) this.close(turn);
    this.phase = "lost";
    this.show.phase(this.phase);
  }

  told(event) {
    HANDLERS[event.type]?.(this, event);
    this.update();
  }

  /** Whether the server has said that it stops, on a line that still lasts. */
  ends(ending) {
    if (ending !== this.ending) this.show.trouble(ending ? ENDING : "");
    this.ending = ending;
  }

  created() {
    this.ready = true;
    this.configure();
    for (const turn of [...this.turns.values()].slice(-MEMORY)) this.remind(turn);
    this.outbox.flush(); // as much as the line takes at once; the rest goes with the next frames
  }

  /** Tells a new session what was said in the one before. */
  remind(turn) {
    const mine = turn.who === "person";
    const text = mine ? turn.settled : spoken(turn)[0];
    const content = [{ type: mine ? "input_text" : "output_text", text }];
    const item = { type: "message", role: mine ? "user" : "assistant", content };
    if (text) this.line.send({ type: "conversation.item.create", item });
  }

  // ---- the person's turns

  person(id) {
    return this.turn(id, personTurn);
  }

  partial({ item_id: id, stable, tail }) {
    const turn = this.person(id);
    Object.assign(turn, { settled: stable, tail });
    this.show.turn(turn);
  }

  stopped({ audio_end_ms: end }) {
    this.hearing = false;
    this.silentSince = this.outbox.heardAt(end);
  }

  understood({ item_id: id, transcript }) {
    const turn = this.person(id);
    Object.assign(turn, { settled: transcript.trim(), tail: "", over: true });
    if (turn.settled) this.show.turn(turn);
    else this.remove(turn);
    if (!turn.settled) this.pending = false;
  }

  // ---- the agent's turns

  agent({ item_id: id, response_id: response }) {
    this.responses.set(id, response);
    return this.turn(id, agentTurn);
  }

  words(event) {
    const turn = this.agent(event);
    addText(turn, event.delta);
    this.show.turn(turn);
  }

  play(event) {
    if (this.dropped.has(event.response_id)) return;
    const turn = this.agent(event);
    const samples = decoded(event.delta);
    turn.received += samples.length / 24000;
    this.sound.play(turn.id, samples);
  }

  played({ kind, item, seconds }) {
    const turn = this.turns.get(item);
    if (!turn || turn.over) return;
    turn.said = seconds;
    if (kind === "started") this.started(turn);
    if (kind === "finished" || kind === "flushed") this.ended(turn, kind === "flushed");
    else this.show.turn(turn);
    this.tell(turn, kind);
    this.update();
  }

  started(turn) {
    Object.assign(this, { playing: turn.id, pending: false });
    if (this.silentSince !== null) this.show.latency((this.now() - this.silentSince) / 1000, this.detail);
    this.silentSince = null;
  }

  /** What the voice could not read of an answer. */
  noted({ item_id: id, notes }) {
    const turn = this.turns.get(id);
    if (!turn) return;
    turn.notes = notes;
    this.show.turn(turn);
  }

  ended(turn, cut) {
    Object.assign(this, { playing: null, held: false });
    Object.assign(turn, { cut, over: true });
    if (cut) {
      const where = { item_id: turn.id, content_index: 0, audio_end_ms: Math.round(1000 * turn.said) };
      this.line.send({ type: "conversation.item.truncate", ...where });
    }
    this.show.turn(turn);
  }

  /** The server knows by this what the person has heard of the answer, and what may come back as an echo. */
  tell(turn, kind) {
    if (kind === "position" && this.now() - this.toldAt < TELL) return;
    this.toldAt = this.now();
    this.line.send({ type: "voice.played", item_id: turn.id, audio_ms: Math.round(1000 * turn.said) });
  }

  /** Whether there is sound of the agent that has not been played to its end. */
  sounding() {
    return [...this.turns.values()].some((turn) => turn.who === "agent" && !turn.over && turn.received > 0);
  }

  /** Only what sounds is held: a hold with nothing to resume would silence the next answer. */
  hold(held) {
    this.held = held;
    this.sound.hold(held);
  }

  done({ response }) {
    const items = [...this.responses].filter(([, id]) => id === response.id).map(([item]) => item);
    if (response.status === "failed") {
      this.show.trouble(response.status_details?.error?.message ?? "The answer failed. Please ask again.");
    }
    if (response.status === "cancelled") this.cancelled(response.id, items);
    if (response.status === "completed") items.forEach((item) => this.unheard(item));
    if (!items.some((item) => this.turns.get(item)?.received)) this.pending = false;
  }

  /** An answer of which nothing has a sound stands there as it is written. */
  unheard(item) {
    const turn = this.turns.get(item);
    if (!turn || turn.received) return;
    turn.over = true;
    this.show.turn(turn);
  }

  cancelled(response, items) {
    this.dropped.add(response);
    if (items.includes(this.playing)) this.sound.flush();
    for (const item of items) {
      const turn = this.turns.get(item);
      if (!turn || item === this.playing || turn.over) continue;
      this.sound.drop(item); // it may wait in the player
      this.remove(turn); // not a word of it was heard
    }
    if (this.held && !this.sounding()) this.hold(false);
  }

  // ---- all turns

  turn(id, make) {
    if (!this.turns.has(id)) this.turns.set(id, make(id));
    return this.turns.get(id);
  }

  remove(turn) {
    this.turns.delete(turn.id);
    this.show.gone(turn);
  }

  close(turn) {
    if (turn.over) return;
    if (turn.who === "agent") Object.assign(turn, { cut: true });
    else Object.assign(turn, { settled: `${turn.settled} ${turn.tail}`.trim(), tail: "" });
    turn.over = true;
    if (turn.who === "agent" ? textOf(turn) : turn.settled) this.show.turn(turn);
    else this.remove(turn);
  }

  update() {
    const phase = !this.ready ? this.phase
      : this.playing && !this.held ? "speaking"
      : this.pending && !this.hearing ? "thinking"
      : this.hearing ? "hearing"
      : "listening";
    if (phase !== this.phase) this.show.phase(phase);
    this.phase = phase;
  }
}
