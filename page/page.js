// What the page does around Gradio's components: tells when the server or the microphone cannot be used, accepts
// videos where sound is dropped, stops a recording before it is transcribed, and handles Ctrl+Enter.
const UNREACHABLE = "The server cannot be reached. See whether it still runs; what it was working on is lost.";
const RESTARTED = "The server was started anew. Load this page again to go on.";
const MICROPHONE_ERRORS = {
  NotAllowedError: "This page may not use the microphone. Allow it in the settings of the page (left of its address), or drop a file.",
  NotFoundError: "No microphone was found. Connect one, or drop a file.",
  NotReadableError: "The microphone is in use elsewhere, or cannot be read. Close what uses it, or drop a file.",
};
const INSECURE_PAGE = "Browsers give the microphone only to pages of this computer (localhost) or over https. Drop a file, or open the page so.";
const ACCEPTED_TYPES = "audio/*,video/*,@recordings@";
const POLL_INTERVAL = 4000, FIRST_RETRY = 1000, MAX_RETRY = 15000, TIMEOUT = 60000; // ms
const find = (selector) => document.querySelector(selector);
const isVisible = (part) => Boolean(part && part.getClientRects().length);

// ---- the server
const notice = element.querySelector(".page-notice");
const knownApp = window.gradio_config && window.gradio_config.app_id;
const tab = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fetchDirectly = window.fetch.bind(window);
let failures = 0, timer = null;

/** Asks the server whether it runs, and tells it that this tab is open. */
async function pollServer() {
  clearTimeout(timer);
  let found = null;
  try {
    const answer = await fetchDirectly(`gradio_api/app_id?tab=${tab}`, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    found = answer.ok ? (await answer.json()).app_id : null;
  } catch { /* it does not answer */ }
  failures = found === null ? failures + 1 : 0;
  const text = failures > 1 ? UNREACHABLE : found !== null && knownApp && found !== knownApp ? RESTARTED : "";
  if (notice.textContent !== text && failures !== 1) notice.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(pollServer, failures ? Math.min(FIRST_RETRY * 2 ** (failures - 1), MAX_RETRY) : POLL_INTERVAL);
}
pollServer();
// An open connection would tell that too, but a browser has only six of them for all its tabs.
window.addEventListener("pagehide", () => navigator.sendBeacon(`gradio_api/closed?tab=${tab}`));
window.addEventListener("pageshow", ({ persisted }) => persisted && pollServer()); // restored as it was
// Gradio polls a server that cannot be reached without end, once more for each press; `pollServer` suffices.
window.fetch = (resource, options) => {
  const isPoll = failures > 1 && new URL(resource?.url ?? resource, document.baseURI).pathname.endsWith("/gradio_api/app_id");
  return isPoll ? Promise.reject(new TypeError(UNREACHABLE)) : fetchDirectly(resource, options);
};

// ---- removes texts that earlier versions of the page have stored
try {
  for (const key of Object.keys(localStorage)) if (key.startsWith("gradio:run-history")) localStorage.removeItem(key);
} catch { /* the browser stores nothing */ }

// ---- the microphone
const showMicrophoneNotice = (text) => { const notice = find("#recording-notice .page-notice"); if (notice) notice.textContent = text; };
const media = navigator.mediaDevices;
if (media && !media.reportsErrors) {
  media.reportsErrors = true;
  const request = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints) => {
    try {
      const stream = await request(constraints);
      showMicrophoneNotice("");
      return stream;
    } catch (error) {
      if (isVisible(find("#recording"))) showMicrophoneNotice(MICROPHONE_ERRORS[error.name] || `The microphone cannot be used (${error.name}). Drop a file.`);
      throw error;
    }
  };
}

/** Tells that the microphone cannot be used before the person tries to record. */
async function checkMicrophone() {
  if (!media) return showMicrophoneNotice(INSECURE_PAGE);
  const permission = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
  showMicrophoneNotice(permission && permission.state === "denied" ? MICROPHONE_ERRORS.NotAllowedError : "");
}

// ---- videos
let videoUrl = null; // of the video that is shown

function removeVideo() {
  if (videoUrl) URL.revokeObjectURL(videoUrl);
  videoUrl = null;
  find("#film-player").replaceChildren();
  delete find("#film").dataset.shown;
}

function showVideo(file) {
  removeVideo();
  find("#film").dataset.shown = "yes";
  videoUrl = URL.createObjectURL(file);
  const player = Object.assign(document.createElement("video"), { controls: true, src: videoUrl, preload: "metadata" });
  player.addEventListener("error", () => player.remove()); // in a format that this browser does not play
  find("#film-player").replaceChildren(player);
}

async function waitFor(condition) {
  for (const end = Date.now() + TIMEOUT; Date.now() < end; await new Promise((go) => setTimeout(go, 50))) {
    if (condition()) return condition();
  }
  return null;
}

const clearButton = (block) => find(`${block} button[aria-label="Clear"], ${block} button[aria-label="Remove this file"]`);

async function useAsVideo(file) {
  clearButton("#recording")?.click();
  clearButton("#film")?.click();
  const input = await waitFor(() => find("#film input[type=file]"));
  const files = new DataTransfer();
  files.items.add(file);
  showVideo(file);
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function acceptFile(event, files) {
  const file = files && files[0];
  if (!file) return;
  if (file.type.startsWith("audio/")) {
    clearButton("#film")?.click();
    removeVideo();
    return; // Gradio's own player takes it, with its waveform
  }
  event.stopImmediatePropagation();
  event.preventDefault();
  useAsVideo(file);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("#recording input[type=file]")) acceptFile(event, event.target.files);
}, true);
document.addEventListener("drop", (event) => {
  if (event.target.closest?.("#recording")) acceptFile(event, event.dataTransfer.files);
}, true);
setInterval(() => { // Gradio writes these texts whenever the input is empty again
  const input = find("#recording input[type=file]"), target = input?.closest("button");
  if (!input || input.accept === ACCEPTED_TYPES) return;
  input.accept = ACCEPTED_TYPES;
  target.setAttribute("aria-label", "Drop sound or video here, or click to upload it");
  for (const node of target.querySelectorAll("[data-testid=upload-text]")[0]?.childNodes ?? []) {
    if (node.nodeType === Node.TEXT_NODE && node.data.includes("Drop Audio")) node.data = "Drop sound or video here";
  }
}, 200);

// ---- clicks and keys
async function stopAndTranscribe(stopButton, startButton) {
  stopButton.click();
  if (await waitFor(() => find("#recording .waveform-container, #recording audio"))) startButton.click();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (!button) return;
  if (button.closest("#film") && button === clearButton("#film")) removeVideo();
  if (button.closest("#recording") && button.ariaLabel === "Record audio") checkMicrophone();
  if (button.closest("#recording") && button.matches(".record-button")) { clearButton("#film")?.click(); removeVideo(); }
  const stop = [...document.querySelectorAll("#recording .stop-button, #recording .stop-button-paused")].find(isVisible);
  if (button.id !== "transcribe-go" || !stop) return;
  event.stopImmediatePropagation();
  stopAndTranscribe(stop, button);
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.closest?.("#text")) return;
  event.preventDefault();
  setTimeout(() => find("#speak-go").click(), 100); // by then Gradio has taken what was typed last
}, true);

document.addEventListener("blur", (event) => { // an emptied number becomes the default, not the minimum
  const field = event.target;
  if (!field.matches?.("input[type=number]") || field.value !== "") return;
  const label = (field.ariaLabel || "").replace("number input for ", "");
  const component = window.gradio_config.components.find((each) => each.props.label === label);
  if (!component) return;
  field.value = component.props.value; // before Gradio looks at it
  field.dispatchEvent(new Event("input", { bubbles: true }));
}, true);
