// Plays the pieces of speech one after the other while later ones are still being made.
// The component's value is {id, pieces: [URL, …], done}; a new id starts over, "" stops.
// Of all players of the page, Gradio's too, one plays at a time: window.voicePlayers has a function that pauses each.
const toggle = element.querySelector(".player-toggle");
const fill = element.querySelector(".player-fill");
const clock = element.querySelector(".player-clock");
const root = element.querySelector(".player");
const LABELS = { idle: "Play", playing: "Pause", waiting: "Pause", paused: "Play", ended: "Play again", gone: "Play" };
let context = null, id = "", queued = 0, done = true, failed = false, end = 0, total = 0, sources = [], work = Promise.resolve();

function stop() {
  sources.forEach((source) => { try { source.stop(); } catch (error) { /* it has already ended */ } });
  sources = [];
  queued = 0; end = 0; total = 0; failed = false;
}

/** Resumes this player and pauses all others. */
function resume() {
  window.voicePlayers.forEach((other) => { if (other !== pause) other(); });
  context ??= new AudioContext();
  return context.resume();
}

function pause() {
  if (context && (remaining() > 0 || !done)) context.suspend().then(render);
}

async function addPiece(url, owner) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(url + " is not there");
  const piece = await context.decodeAudioData(await response.arrayBuffer());
  if (owner !== id) return;
  const source = context.createBufferSource();
  source.buffer = piece;
  source.connect(context.destination);
  end = Math.max(end, context.currentTime + 0.05);
  source.start(end);
  end += piece.duration;
  total += piece.duration;
  sources.push(source);
}

async function update() {
  const value = props.value || {id: "", pieces: [], done: true};
  if (value.id !== id) {
    stop();
    id = value.id;
    if (id) resume(); // even if the last one was paused; a browser may require a click first
  }
  done = value.done;
  while (id === value.id && queued < value.pieces.length) {
    queued += 1;
    await addPiece(value.pieces[queued - 1], id);
  }
}

function enqueue(step) {
  work = work.then(step).catch((error) => { failed = true; console.error(error); });
}

function formatTime(exact) {
  const seconds = Math.round(exact);
  return Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
}

function remaining() {
  return context ? Math.max(0, end - context.currentTime) : 0;
}

function state() {
  if (!id) return "idle";
  if (failed) return "gone";
  if (context.state === "suspended" && (remaining() > 0 || !done)) return "paused";
  return remaining() > 0 ? "playing" : done && queued ? "ended" : "waiting";
}

function render() {
  const now = state(), played = total - remaining();
  root.dataset.state = now;
  root.dataset.seconds = total.toFixed(2);
  fill.style.width = total ? (100 * played / total) + "%" : "0";
  clock.textContent = now === "gone" ? "This sound is not there any more." : formatTime(played) + " / " + formatTime(total) + (done ? "" : " …");
  toggle.disabled = now === "idle" || now === "gone";
  toggle.textContent = LABELS[now] === "Pause" ? "❚❚" : "▶";
  toggle.setAttribute("aria-label", LABELS[now]);
}

toggle.addEventListener("click", () => {
  const now = state();
  if (now === "playing" || now === "waiting") return pause();
  if (now === "ended") enqueue(() => { stop(); return update(); });
  resume().then(render);
});

/** Adds the media elements of other components, whose events do not reach this one. */
function registerMediaElements() {
  const play = HTMLMediaElement.prototype.play;
  let last = null; // the one that was played last
  const pauseLast = () => last?.pause();
  HTMLMediaElement.prototype.play = function () {
    if (last !== this) pauseLast();
    last = this;
    window.voicePlayers.forEach((other) => { if (other !== pauseLast) other(); });
    return play.call(this);
  };
  window.voicePlayers.push(pauseLast);
}

if (!window.voicePlayers) {
  window.voicePlayers = [];
  registerMediaElements();
}
window.voicePlayers.push(pause);
watch("value", () => enqueue(update));
setInterval(render, 100);
