// Plays the pieces of an answer one after the other while later ones are still being made.
// The component's value is {id, pieces: [address, …], done}; a new id begins anew, "" falls silent.
const toggle = element.querySelector(".player-toggle");
const fill = element.querySelector(".player-fill");
const clock = element.querySelector(".player-clock");
const root = element.querySelector(".player");
let context = null, id = "", taken = 0, done = true, end = 0, total = 0, sources = [], work = Promise.resolve();

function silence() {
  sources.forEach((source) => { try { source.stop(); } catch (error) { /* it has ended by itself */ } });
  sources = [];
  taken = 0; end = 0; total = 0;
}

async function add(address, owner) {
  const response = await fetch(address);
  const sound = await context.decodeAudioData(await response.arrayBuffer());
  if (owner !== id) return;
  const source = context.createBufferSource();
  source.buffer = sound;
  source.connect(context.destination);
  end = Math.max(end, context.currentTime + 0.05);
  source.start(end);
  end += sound.duration;
  total += sound.duration;
  sources.push(source);
}

async function follow() {
  const value = props.value || {id: "", pieces: [], done: true};
  if (value.id !== id) { silence(); id = value.id; }
  if (id && !context) context = new AudioContext();
  done = value.done;
  while (id === value.id && taken < value.pieces.length) {
    taken += 1;
    await add(value.pieces[taken - 1], id);
  }
}

function minutes(exact) {
  const seconds = Math.round(exact);
  return Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
}

function show() {
  const left = context ? Math.max(0, end - context.currentTime) : 0;
  const played = total - left;
  const paused = context && context.state === "suspended" && left > 0;
  root.dataset.state = !id ? "idle" : paused ? "paused" : left > 0 ? "playing" : done ? "ended" : "waiting";
  root.dataset.seconds = total.toFixed(2);
  fill.style.width = total ? (100 * played / total) + "%" : "0";
  clock.textContent = minutes(played) + " / " + minutes(total) + (done ? "" : " …");
  toggle.textContent = paused ? "▶" : "❚❚";
  toggle.setAttribute("aria-label", paused ? "Go on" : "Pause");
}

toggle.addEventListener("click", () => {
  if (context) (context.state === "suspended" ? context.resume() : context.suspend()).then(show);
});
window.voicePlayers = window.voicePlayers || [];
window.voicePlayers.push(() => { silence(); id = ""; show(); });
watch("value", () => { work = work.then(follow).catch(console.error); });
setInterval(show, 100);
