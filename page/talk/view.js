// Shows the conversation. All texts are set as text, never as markup.
import { splitAtPlayback } from "./turns.js";

const PHASES = {
  preparing: "Getting ready …", // as in talk.html
  off: "Not connected",
  connecting: "Connecting …",
  listening: "Listening",
  hearing: "Listening",
  thinking: "Thinking …",
  speaking: "Speaking",
  lost: "The line is lost. Trying again …",
};
const MIN_LEVEL = -60; // dB, at the left end of the meter
const FOLLOW_DISTANCE = 60; // pixels from the end within which the log scrolls to what is added

/** Shows turns, phase, level, latency and trouble inside `root`. */
export class View {
  constructor(root) {
    this.root = root;
    this.log = root.querySelector(".talk-log");
    this.hints = root.querySelector(".talk-hints");
    this.meter = root.querySelector(".talk-meter");
    this.rows = new Map(); // turn → element
    this.shownLevel = 0;
    this.unusable = false; // the browser has no sound
  }

  part(name) {
    return this.root.querySelector(`.talk-${name}`);
  }

  // ---- from the conversation

  showPhase(name) {
    this.root.dataset.phase = name;
    const text = PHASES[name];
    if (this.part("phase").textContent !== text) this.part("phase").textContent = text;
    const started = name !== "off" && name !== "preparing";
    this.part("label").textContent = started ? "Stop" : "Start talking";
    this.part("hush").disabled = name !== "speaking" && name !== "thinking";
    this.part("button").disabled = this.part("recording").disabled = this.unusable || name === "preparing";
    if (!started) this.showLevel(0);
  }

  showTurn(turn) {
    const follow = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < FOLLOW_DISTANCE;
    const row = this.row(turn);
    const [sure, rest] = turn.who === "person" ? [turn.stable, turn.tail] : splitAtPlayback(turn);
    setText(row.querySelector(".talk-sure"), sure);
    setText(row.querySelector(".talk-rest"), turn.interrupted ? "" : sure && rest && !/^\s/.test(rest) ? ` ${rest}` : rest);
    setText(row.querySelector(".talk-note"), (turn.notes ?? []).join(" "));
    row.classList.toggle("cut", Boolean(turn.interrupted));
    row.setAttribute("aria-busy", String(!turn.ended)); // a screen reader reads it once it is complete
    if (follow) this.log.scrollTop = this.log.scrollHeight;
  }

  row(turn) {
    if (!this.rows.has(turn.id)) {
      const row = document.createElement("p");
      row.className = `talk-turn ${turn.who}`;
      row.append(...["who", "sure", "rest", "note"].map(span));
      row.querySelector(".talk-who").textContent = turn.who === "person" ? "You: " : "Agent: ";
      this.rows.set(turn.id, row);
      this.hints.hidden = true;
      this.log.append(row);
    }
    return this.rows.get(turn.id);
  }

  removeTurn(turn) {
    this.rows.get(turn.id)?.remove();
    this.rows.delete(turn.id);
  }

  showLatency(seconds, detail) {
    this.part("latency").textContent = `answered in ${seconds.toFixed(2)} s`;
    this.part("latency").title = detail ? latencyDetail(detail) : "";
  }

  /** Disables the tab and shows why. */
  refuse(why) {
    this.unusable = true;
    this.showPhase("off");
    this.showTrouble(why);
  }

  showTrouble(text) {
    setText(this.part("trouble"), sentence(text));
    this.part("trouble").hidden = !text;
  }

  /** Shows what the person should know before they speak, or "". */
  showAdvice(text) {
    setText(this.part("advice"), text);
    this.part("advice").hidden = !text;
  }

  // ---- from the page

  showLevel(rms) {
    const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
    const share = Math.max(0, Math.min(1, 1 - decibels / MIN_LEVEL));
    this.shownLevel = Math.max(share, this.shownLevel - 0.03); // falls slowly, as meters do
    this.meter.firstElementChild.style.transform = `scaleX(${this.shownLevel.toFixed(3)})`;
    this.meter.setAttribute("aria-valuenow", String(Math.round(100 * this.shownLevel)));
  }

  /** Shows the name of the recording that replaces the microphone, or "". */
  showRecording(name) {
    setText(this.part("file").firstElementChild, name ? `Hearing ${name} …` : "Play it a recording");
  }

  clear() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.hints.hidden = false;
    this.part("latency").textContent = "";
    this.showTrouble("");
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Returns a program's message as a sentence: a capital, a full stop, names of files without their folders. */
export function sentence(text) {
  const plain = text.trim().replace(/(?<![\w:/.])(?:[A-Za-z]:|~)?(?:[\\/][^\s\\/'"`;:,()<>]+)+[\\/]([^\s\\/'"`;:,()<>]+)/g, "$1");
  if (!plain) return "";
  const first = /^\S+\.\w/.test(plain) ? plain[0] : plain[0].toUpperCase(); // a file keeps its name
  return first + plain.slice(1) + (/[.!?…]$/.test(plain) ? "" : ".");
}

function span(name) {
  const element = document.createElement("span");
  element.className = `talk-${name}`;
  return element;
}

function latencyDetail({ turn_end_ms: end, first_words_ms: words, first_audio_ms: sound }) {
  const parts = { "end of turn": end, "first words": words, "first sound": sound };
  return Object.entries(parts).map(([name, ms]) => `${name} after ${(ms / 1000).toFixed(2)} s`).join(", ");
}
