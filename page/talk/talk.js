// The Talk tab: one button begins a conversation and ends it.
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Settings } from "./settings.js";
import { Sound, SoundError, soundProblem } from "./sound.js";
import { View } from "./view.js";

const UNREACHABLE = "The server cannot be reached. See whether it still runs, then press the button again.";
const POLL_INTERVAL = 400; // ms between two requests whether the models are loaded
const LONG_WAIT = 8000; // ms after which the person is told what takes so long
const LOADING = "The models are being loaded. The first time they may have to be fetched, which takes some minutes.";
const RECORDING_OVER = "The recording is over and the microphone is off. To speak yourself, press Stop and then Start talking.";

/** The server refused a request; the message is the server's. */
class RequestRefused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Attaches the Talk tab to the markup of talk.html inside `element`. */
export function mount(element) {
  const root = element.querySelector(".talk");
  if (!root || root.dataset.mounted) return;
  root.dataset.mounted = "yes";
  new Talk(root);
}

class Talk {
  constructor(root) {
    this.settings = new Settings(root, (name) => this.applySetting(name));
    this.view = new View(root);
    this.conversation = this.newConversation();
    this.sound = this.connection = null;
    this.advice = ""; // what the person should know at any time
    this.started = null; // a promise of the start, until it is stopped
    this.startCount = 0; // starts and stops so far; steps of an earlier start end when it has changed
    const press = (name, action) => this.view.part(name).addEventListener("click", action);
    this.usesMicrophone = false; // in this start
    press("button", ({ detail }) => detail < 2 && this.toggle()); // a double click is one press
    press("hush", () => this.conversation.interrupt());
    press("anew", () => this.restart());
    this.view.part("recording").addEventListener("change", ({ target }) => this.playRecording(target));
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.conversation.interrupt());
    window.addEventListener("pagehide", () => this.stop());
    this.ready = Boolean(soundProblem());
    if (this.ready) this.view.refuse(soundProblem());
    else this.prepare();
    this.fetchJson("v1/models").then(({ data }) => this.setModels(data), () => {}); // the connection will say what is wrong
  }

  /** Waits until the server has loaded its models. A failure here is shown when the button is pressed. */
  async prepare() {
    const start = performance.now();
    let state = "loading";
    while (state === "loading") {
      const answer = await this.fetchJson("talk/ready").catch(() => ({ state: "unknown" }));
      state = answer.state;
      this.advice = languageAdvice(answer);
      this.view.showAdvice(state !== "loading" ? this.advice : performance.now() - start > LONG_WAIT ? LOADING : "");
      if (state === "loading") await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
    }
    this.ready = true;
    this.view.showPhase("off");
  }

  newConversation() {
    return new Conversation({ view: this.view, settings: () => this.settings.values });
  }

  /** Returns the server's answer to GET. Throws RequestRefused. */
  async fetchJson(path) {
    const { token } = this.settings;
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(new URL(path, document.baseURI), { headers });
    const answer = await response.json();
    if (!response.ok) throw new RequestRefused(answer.error?.message ?? response.statusText, response.status);
    return answer;
  }

  setModels(models) {
    const voices = models.filter(({ kind }) => kind === "voice").map(({ id }) => id);
    this.settings.setVoices(voices);
  }

  // ---- beginning and ending

  toggle() {
    return this.started ? this.stop() : this.start();
  }

  /** Starts with the microphone, or without it for a recording; a second call waits for the first. */
  start({ microphone = true } = {}) {
    this.started ??= this.begin(microphone);
    return this.started;
  }

  async begin(microphone) {
    const start = (this.startCount += 1);
    this.usesMicrophone = microphone;
    this.view.showTrouble("");
    this.view.showPhase("connecting");
    (window.voicePlayers ?? []).forEach((silence) => silence());
    try {
      const sound = await Sound.open((frame) => this.addFrame(frame), (event) => this.conversation.updatePlayback(event));
      if (start !== this.startCount) return await sound.close();
      this.sound = sound;
      if (microphone) await this.openMicrophone();
      await sound.useLoudspeaker(this.settings.device("loudspeaker"));
      if (start === this.startCount) this.connect();
    } catch (error) {
      if (start !== this.startCount) return; // it was stopped or started again
      await this.stop();
      this.view.showTrouble(error instanceof SoundError ? error.message : UNREACHABLE); // its modules could not be fetched
      if (!(error instanceof SoundError)) throw error;
    }
  }

  async openMicrophone() {
    const onUnplugged = () => this.view.showTrouble("The microphone was unplugged. Choose another one in the settings.");
    await this.sound.useMicrophone(this.settings.device("microphone"), onUnplugged);
    await this.settings.findDevices();
  }

  connect() {
    const address = new URL("v1/realtime", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const { token } = this.settings;
    const protocols = token ? ["realtime", `openai-insecure-api-key.${token}`] : ["realtime"];
    const onEvent = (event) => this.conversation.handle(event);
    const onState = (state, reason) => this.updateConnection(state, reason);
    this.connection = new Connection(address, { onEvent, onState, protocols });
    this.conversation.begin(this.connection, this.sound);
  }

  async stop() {
    this.startCount += 1;
    this.started = null;
    this.connection?.close();
    if (this.connection) this.conversation.disconnect();
    const { sound } = this;
    this.connection = this.sound = null;
    this.view.showPhase(this.ready ? "off" : "preparing");
    this.view.showRecording("");
    this.view.showAdvice(this.advice);
    await sound?.close();
  }

  /** Begins a new conversation; the microphone is opened only if it was in use. */
  async restart() {
    const talking = this.started && this.usesMicrophone;
    const stopped = this.stop();
    this.conversation = this.newConversation();
    this.view.clear();
    await stopped;
    if (talking) await this.start();
  }

  // ---- input

  addFrame(frame) {
    this.view.showLevel(frame.level);
    this.conversation.addFrame(frame);
  }

  /** Handles a new state of the connection, see connection.js. */
  async updateConnection(state, reason) {
    if (state === "open") return;
    this.conversation.disconnect();
    if (state === "closed") await this.fail(reason || UNREACHABLE);
    else if (!reason) await this.fetchJson("v1/models").catch((error) => error instanceof RequestRefused && this.refuse(error));
  }

  async fail(why) {
    await this.stop();
    this.view.showTrouble(why);
  }

  /** Ends with the reason of a refusal, which a browser learns only by another request than the WebSocket's. */
  async refuse({ message, status }) {
    await this.fail(message);
    if (status === 401) this.settings.askToken();
  }

  async applySetting(name) {
    if (!this.sound) return;
    try {
      if (name === "microphone") await this.openMicrophone();
      else if (name === "loudspeaker") await this.sound.useLoudspeaker(this.settings.device(name));
      else this.conversation.configure();
    } catch (error) {
      if (!(error instanceof SoundError)) throw error;
      this.view.showTrouble(error.message);
    }
  }

  endRecording(sound) {
    this.view.showRecording("");
    if (sound === this.sound && !this.usesMicrophone) this.view.showAdvice(RECORDING_OVER);
  }

  /** Captures from a file instead of the microphone until it ends. */
  async playRecording(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    await this.start({ microphone: false });
    const { sound } = this;
    if (!sound) return;
    try {
      await sound.useRecording(file, () => this.endRecording(sound));
      if (sound !== this.sound) return;
      this.view.showRecording(file.name);
      this.view.showAdvice(this.advice);
    } catch (error) {
      if (sound !== this.sound) return;
      if (!(error instanceof SoundError)) throw error;
      this.view.showTrouble(error.message);
    }
  }
}

/** Returns the languages that are understood, for a person whose browser uses others; else "". */
function languageAdvice({ languages = [] }) {
  const ours = navigator.languages.map((tag) => tag.split("-")[0]);
  if (!languages.length || ours.some((code) => languages.includes(code))) return "";
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  return `Please speak ${languages.map((code) => names.of(code)).join(" or ")}: no other language is understood here.`;
}
