// Plays the pieces of an answer one after the other while later ones are still being made.
// The component's value is {id, pieces: [address, …], done}; a new id begins anew, "" falls silent.
// Of all players of the page one sounds at a time, Gradio's among them: window.voicePlayers holds what pauses each.
const toggle = element.querySelector(".player-toggle");
const fill = element.querySelector(".player-fill");
const clock = element.querySelector(".player-clock");
const root = element.querySelector(".player");
const LABELS = { idle: "Play", playing: "Pause", waiting: "Pause", paused: "Play", ended: "Play again", gone: "Play" };
let context = null, id = "", taken = 0, done = true, gone = false, end = 0, total = 0, sources = [], work = Promise.resolve();

function silence() {
  sources.forEach((source) => { try { source.stop(); } catch (error) { /* it has ended by itself */ } });
  sources = [];
  taken = 0; end = 0; total = 0; gone = false;
}

/** Sounds from now on, and nothing else does. */
function sound() {
  window.voicePlayers.forEach((other) => { if (other !== pause) other(); });
  context ??= new AudioContext();
  return context.resume();
}

function pause() {
  if (context && (left() > 0 || !done)) context.suspend().then(show);
}

async function add(address, owner) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(address + " is not there");
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

async function follow() {
  const value = props.value || {id: "", pieces: [], done: true};
  if (value.id !== id) {
    silence();
    id = value.id;
    if (id) sound(); // also where the last one was left paused; a browser may want a press first
  }
  done = value.done;
  while (id === value.id && taken < value.pieces.length) {
    taken += 1;
    await add(value.pieces[taken - 1], id);
  }
}

function queue(step) {
  work = work.then(step).catch((error) => { gone = true; console.error(error); });
}

function minutes(exact) {
  const seconds = Math.round(exact);
  return Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
}

function left() {
  return context ? Math.max(0, end - context.currentTime) : 0;
}

function state() {
  if (!id) return "idle";
  if (gone) return "gone";
  if (context.state === "suspended" && (left() > 0 || !done)) return "paused";
  return left() > 0 ? "playing" : done && taken ? "ended" : "waiting";
}

function show() {
  const now = state(), played = total - left();
  root.dataset.state = now;
  root.dataset.seconds = total.toFixed(2);
  fill.style.width = total ? (100 * played / total) + "%" : "0";
  clock.textContent = now === "gone" ? "This sound is not there any more." : minutes(played) + " / " + minutes(total) + (done ? "" : " …");
  toggle.disabled = now === "idle" || now === "gone";
  toggle.textContent = LABELS[now] === "Pause" ? "❚❚" : "▶";
  toggle.setAttribute("aria-label", LABELS[now]);
}

toggle.addEventListener("click", () => {
  const now = state();
  if (now === "playing" || now === "waiting") return pause();
  if (now === "ended") queue(() => { silence(); return follow(); });
  sound().then(show);
});

/** Lets the media elements of others take part, which lie where their events are not seen. */
function join() {
  const play = HTMLMediaElement.prototype.play;
  let last = null; // the one that was played last
  const hush = () => last?.pause();
  HTMLMediaElement.prototype.play = function () {
    if (last !== this) hush();
    last = this;
    window.voicePlayers.forEach((other) => { if (other !== hush) other(); });
    return play.call(this);
  };
  window.voicePlayers.push(hush);
}

if (!window.voicePlayers) {
  window.voicePlayers = [];
  join();
}
window.voicePlayers.push(pause);
watch("value", () => queue(follow));
setInterval(show, 100);
