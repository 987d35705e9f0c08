// What the page does around Gradio's components: says when the server is gone or the microphone refused,
// takes films where sound is dropped, stops a recording that is to be transcribed, and takes a key.
const GONE = "The server cannot be reached. See whether it still runs; what it was working on is lost.";
const ANEW = "The server was started anew. Load this page again to go on.";
const REFUSED = {
  NotAllowedError: "This page may not use the microphone. Allow it in the settings of the page (left of its address), or drop a file.",
  NotFoundError: "No microphone was found. Connect one, or drop a file.",
  NotReadableError: "The microphone is in use elsewhere, or cannot be read. Close what uses it, or drop a file.",
};
const INSECURE = "Browsers give the microphone only to pages of this computer (localhost) or over https. Drop a file, or open the page so.";
const FORMS = "audio/*,video/*,@recordings@";
const OFTEN = 4000, SOON = 1000, SELDOM = 15000, TAKING = 60000; // ms
const one = (selector) => document.querySelector(selector);
const seen = (part) => Boolean(part && part.getClientRects().length);

// ---- the server
const line = element.querySelector(".page-notice");
const known = window.gradio_config && window.gradio_config.app_id;
const tab = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const ask = window.fetch.bind(window);
let missed = 0, next = null;

/** Asks whether the server is there, and tells it that this tab is. */
async function look() {
  clearTimeout(next);
  let found = null;
  try {
    const answer = await ask(`gradio_api/app_id?tab=${tab}`, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    found = answer.ok ? (await answer.json()).app_id : null;
  } catch { /* it does not answer */ }
  missed = found === null ? missed + 1 : 0;
  const text = missed > 1 ? GONE : found !== null && known && found !== known ? ANEW : "";
  if (line.textContent !== text && missed !== 1) line.textContent = text;
  clearTimeout(next);
  next = setTimeout(look, missed ? Math.min(SOON * 2 ** (missed - 1), SELDOM) : OFTEN);
}
look();
// A connection held open would tell it too, but a browser has only six of them for all its tabs.
window.addEventListener("pagehide", () => navigator.sendBeacon(`gradio_api/closed?tab=${tab}`));
window.addEventListener("pageshow", ({ persisted }) => persisted && look()); // it comes back as it was
// Gradio asks on and on for a server that is gone, once more for each press; `look` knows.
window.fetch = (what, how) => {
  const again = missed > 1 && new URL(what?.url ?? what, document.baseURI).pathname.endsWith("/gradio_api/app_id");
  return again ? Promise.reject(new TypeError(GONE)) : ask(what, how);
};

// ---- what earlier versions of the page have kept of anybody's words
try {
  for (const key of Object.keys(localStorage)) if (key.startsWith("gradio:run-history")) localStorage.removeItem(key);
} catch { /* the browser keeps nothing */ }

// ---- the microphone
const tell = (text) => { const place = one("#recording-notice .page-notice"); if (place) place.textContent = text; };
const media = navigator.mediaDevices;
if (media && !media.explained) {
  media.explained = true;
  const ask = media.getUserMedia.bind(media);
  media.getUserMedia = async (wish) => {
    try {
      const stream = await ask(wish);
      tell("");
      return stream;
    } catch (error) {
      if (seen(one("#recording"))) tell(REFUSED[error.name] || `The microphone cannot be used (${error.name}). Drop a file.`);
      throw error;
    }
  };
}

/** Says it before anything is pressed in vain. */
async function foretell() {
  if (!media) return tell(INSECURE);
  const asked = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
  tell(asked && asked.state === "denied" ? REFUSED.NotAllowedError : "");
}

// ---- films
let film = null; // the address of what is shown

function forget() {
  if (film) URL.revokeObjectURL(film);
  film = null;
  one("#film-player").replaceChildren();
  delete one("#film").dataset.shown;
}

function show(file) {
  forget();
  one("#film").dataset.shown = "yes";
  film = URL.createObjectURL(file);
  const player = Object.assign(document.createElement("video"), { controls: true, src: film, preload: "metadata" });
  player.addEventListener("error", () => player.remove()); // a form that this browser does not play
  one("#film-player").replaceChildren(player);
}

async function until(found) {
  for (const end = Date.now() + TAKING; Date.now() < end; await new Promise((go) => setTimeout(go, 50))) {
    if (found()) return found();
  }
  return null;
}

const gone = (block) => one(`${block} button[aria-label="Clear"], ${block} button[aria-label="Remove this file"]`);

async function take(file) {
  gone("#recording")?.click();
  gone("#film")?.click();
  const input = await until(() => one("#film input[type=file]"));
  const files = new DataTransfer();
  files.items.add(file);
  show(file);
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function offered(event, files) {
  const file = files && files[0];
  if (!file) return;
  if (file.type.startsWith("audio/")) {
    gone("#film")?.click();
    forget();
    return; // Gradio's own player takes it, with its waveform
  }
  event.stopImmediatePropagation();
  event.preventDefault();
  take(file);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("#recording input[type=file]")) offered(event, event.target.files);
}, true);
document.addEventListener("drop", (event) => {
  if (event.target.closest?.("#recording")) offered(event, event.dataTransfer.files);
}, true);
setInterval(() => { // what Gradio writes whenever the place is empty again
  const input = one("#recording input[type=file]"), place = input?.closest("button");
  if (!input || input.accept === FORMS) return;
  input.accept = FORMS;
  place.setAttribute("aria-label", "Drop sound or video here, or click to upload it");
  for (const node of place.querySelectorAll("[data-testid=upload-text]")[0]?.childNodes ?? []) {
    if (node.nodeType === Node.TEXT_NODE && node.data.includes("Drop Audio")) node.data = "Drop sound or video here";
  }
}, 200);

// ---- presses
async function transcribe(stop, go) {
  stop.click();
  if (await until(() => one("#recording .waveform-container, #recording audio"))) go.click();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (!button) return;
  if (button.closest("#film") && button === gone("#film")) forget();
  if (button.closest("#recording") && button.ariaLabel === "Record audio") foretell();
  if (button.closest("#recording") && button.matches(".record-button")) { gone("#film")?.click(); forget(); }
  const stop = [...document.querySelectorAll("#recording .stop-button, #recording .stop-button-paused")].find(seen);
  if (button.id !== "transcribe-go" || !stop) return;
  event.stopImmediatePropagation();
  transcribe(stop, button);
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.closest?.("#text")) return;
  event.preventDefault();
  setTimeout(() => one("#speak-go").click(), 100); // what was typed last is taken by then
}, true);

document.addEventListener("blur", (event) => { // an emptied number is the usual one, not the least
  const field = event.target;
  if (!field.matches?.("input[type=number]") || field.value !== "") return;
  const label = (field.ariaLabel || "").replace("number input for ", "");
  const usual = window.gradio_config.components.find((each) => each.props.label === label);
  if (!usual) return;
  field.value = usual.props.value; // before Gradio looks at it
  field.dispatchEvent(new Event("input", { bubbles: true }));
}, true);
