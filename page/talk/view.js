// What is seen of the conversation. All texts are set as text, never as markup.
import { spoken } from "./turns.js";

const PHASES = {
  preparing: "Getting ready …", // so it stands in talk.html too
  off: "Not connected",
  connecting: "Connecting …",
  listening: "Listening",
  hearing: "Listening",
  thinking: "Thinking …",
  speaking: "Speaking",
  lost: "The line is lost. Trying again …",
};
const QUIETEST = -60; // dB, at the left end of the meter
const NEAR = 60; // pixels from the end within which the log follows what is added

/** Shows turns, phase, level, latency and trouble inside `root`. */
export class View {
  constructor(root) {
    this.root = root;
    this.log = root.querySelector(".talk-log");
    this.hints = root.querySelector(".talk-hints");
    this.meter = root.querySelector(".talk-meter");
    this.rows = new Map(); // turn → element
    this.loudest = 0;
    this.useless = false; // nothing can be heard or said in this browser
  }

  part(name) {
    return this.root.querySelector(`.talk-${name}`);
  }

  // ---- what the dialog tells

  phase(name) {
    this.root.dataset.phase = name;
    const text = PHASES[name];
    if (this.part("phase").textContent !== text) this.part("phase").textContent = text;
    const started = name !== "off" && name !== "preparing";
    this.part("label").textContent = started ? "Stop" : "Start talking";
    this.part("hush").disabled = name !== "speaking" && name !== "thinking";
    this.part("button").disabled = this.part("recording").disabled = this.useless || name === "preparing";
    if (!started) this.level(0);
  }

  turn(turn) {
    const follow = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR;
    const row = this.row(turn);
    const [sure, rest] = turn.who === "person" ? [turn.settled, turn.tail] : spoken(turn);
    write(row.querySelector(".talk-sure"), sure);
    write(row.querySelector(".talk-rest"), turn.cut ? "" : sure && rest && !/^\s/.test(rest) ? ` ${rest}` : rest);
    write(row.querySelector(".talk-note"), (turn.notes ?? []).join(" "));
    row.classList.toggle("cut", Boolean(turn.cut));
    row.setAttribute("aria-busy", String(!turn.over)); // read out once it is whole
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

  gone(turn) {
    this.rows.get(turn.id)?.remove();
    this.rows.delete(turn.id);
  }

  latency(seconds, detail) {
    this.part("latency").textContent = `answered in ${seconds.toFixed(2)} s`;
    this.part("latency").title = detail ? explained(detail) : "";
  }

  /** Nothing can be begun, and why. */
  refuse(why) {
    this.useless = true;
    this.phase("off");
    this.trouble(why);
  }

  trouble(text) {
    write(this.part("trouble"), sentence(text));
    this.part("trouble").hidden = !text;
  }

  /** What the person should know before they speak, or "". */
  advice(text) {
    write(this.part("advice"), text);
    this.part("advice").hidden = !text;
  }

  // ---- what the page itself shows

  level(rms) {
    const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
    const share = Math.max(0, Math.min(1, 1 - decibels / QUIETEST));
    this.loudest = Math.max(share, this.loudest - 0.03); // falls slowly, as meters do
    this.meter.firstElementChild.style.transform = `scaleX(${this.loudest.toFixed(3)})`;
    this.meter.setAttribute("aria-valuenow", String(Math.round(100 * this.loudest)));
  }

  /** The name of the recording that is being heard instead of the microphone, or "". */
  playing(name) {
    write(this.part("file").firstElementChild, name ? `Hearing ${name} …` : "Play it a recording");
  }

  empty() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.hints.hidden = false;
    this.part("latency").textContent = "";
    this.trouble("");
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A message of a program as a sentence for people: a capital, a full stop, names of files without their folders. */
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

function explained({ turn_end_ms: end, first_words_ms: words, first_audio_ms: sound }) {
  const parts = { "end of turn": end, "first words": words, "first sound": sound };
  return Object.entries(parts).map(([name, ms]) => `${name} after ${(ms / 1000).toFixed(2)} s`).join(", ");
}
