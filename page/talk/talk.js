// The Talk tab: one button begins a conversation and ends it.
import { Dialog } from "./dialog.js";
import { Line } from "./line.js";
import { Settings } from "./settings.js";
import { obstacle, Sound, SoundError } from "./sound.js";
import { View } from "./view.js";

const UNREACHABLE = "The server cannot be reached. See whether it still runs, then press the button again.";
const READY = 400; // ms between two questions whether the models are loaded
const LONG = 8000; // ms after which the person is told what takes so long
const LOADING = "The models are being loaded. The first time they may have to be fetched, which takes some minutes.";

const DEAF = "The recording is over and the microphone is off. To speak yourself, press Stop and then Start talking.";

/** What a server says against a request. */
class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Brings the markup of talk.html inside `element` to life. */
export function mount(element) {
  const root = element.querySelector(".talk");
  if (!root || root.dataset.mounted) return;
  root.dataset.mounted = "yes";
  new Talk(root);
}

class Talk {
  constructor(root) {
    this.settings = new Settings(root, (name) => this.chosen(name));
    this.view = new View(root);
    this.dialog = this.fresh();
    this.sound = this.line = null;
    this.advice = ""; // what the person should know at any time
    this.begun = null; // the start that was asked for, until it is stopped: a promise
    this.starts = 0; // how often it was started or stopped; what belongs to an earlier one is let go
    const press = (name, action) => this.view.part(name).addEventListener("click", action);
    this.microphone = false; // whether this start listens to it
    press("button", ({ detail }) => detail < 2 && this.toggle()); // a double click is one press
    press("hush", () => this.dialog.hush());
    press("anew", () => this.anew());
    this.view.part("recording").addEventListener("change", ({ target }) => this.playRecording(target));
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.dialog.hush());
    window.addEventListener("pagehide", () => this.stop());
    this.ready = Boolean(obstacle());
    if (this.ready) this.view.refuse(obstacle());
    else this.prepare();
    this.ask("v1/models").then(({ data }) => this.offer(data), () => {}); // the line will say what is wrong
  }

  /** Waits until the server has loaded its models. What fails here is said when the button is pressed. */
  async prepare() {
    const begun = performance.now();
    let state = "loading";
    while (state === "loading") {
      const told = await this.ask("talk/ready").catch(() => ({ state: "unknown" }));
      state = told.state;
      this.advice = advice(told);
      this.view.advice(state !== "loading" ? this.advice : performance.now() - begun > LONG ? LOADING : "");
      if (state === "loading") await new Promise((resolve) => setTimeout(resolve, READY));
    }
    this.ready = true;
    this.view.phase("off");
  }

  fresh() {
    return new Dialog({ show: this.view, chosen: () => this.settings.chosen });
  }

  /** The server's answer to GET. Raises Refused. */
  async ask(path) {
    const { token } = this.settings;
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(new URL(path, document.baseURI), { headers });
    const answer = await response.json();
    if (!response.ok) throw new Refused(answer.error?.message ?? response.statusText, response.status);
    return answer;
  }

  offer(models) {
    const voices = models.filter(({ kind }) => kind === "voice").map(({ id }) => id);
    this.settings.offer(voices);
  }

  // ---- beginning and ending

  toggle() {
    return this.begun ? this.stop() : this.start();
  }

  /** With the microphone, or without it for a recording; whoever asks again waits for the first. */
  start({ microphone = true } = {}) {
    this.begun ??= this.begin(microphone);
    return this.begun;
  }

  async begin(microphone) {
    const start = (this.starts += 1);
    this.microphone = microphone;
    this.view.trouble("");
    this.view.phase("connecting");
    (window.voicePlayers ?? []).forEach((silence) => silence());
    try {
      const sound = await Sound.open((frame) => this.heard(frame), (event) => this.dialog.played(event));
      if (start !== this.starts) return await sound.close();
      this.sound = sound;
      if (microphone) await this.listen();
      await sound.through(this.settings.device("loudspeaker"));
      if (start === this.starts) this.connect();
    } catch (error) {
      if (start !== this.starts) return; // nobody waits for it any more
      await this.stop();
      this.view.trouble(error instanceof SoundError ? error.message : UNREACHABLE); // its modules did not come
      if (!(error instanceof SoundError)) throw error;
    }
  }

  async listen() {
    const lost = () => this.view.trouble("The microphone was unplugged. Choose another one in the settings.");
    await this.sound.listen(this.settings.device("microphone"), lost);
    await this.settings.findDevices();
  }

  connect() {
    const address = new URL("v1/realtime", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const { token } = this.settings;
    const protocols = token ? ["realtime", `openai-insecure-api-key.${token}`] : ["realtime"];
    const told = (event) => this.dialog.told(event);
    this.line = new Line(address, { told, changed: (state, reason) => this.changed(state, reason), protocols });
    this.dialog.begin(this.line, this.sound);
  }

  async stop() {
    this.starts += 1;
    this.begun = null;
    this.line?.close();
    if (this.line) this.dialog.lost();
    const { sound } = this;
    this.line = this.sound = null;
    this.view.phase(this.ready ? "off" : "preparing");
    this.view.playing("");
    this.view.advice(this.advice);
    await sound?.close();
  }

  /** Begins again with nothing said; the microphone is opened only where it was in use. */
  async anew() {
    const talking = this.begun && this.microphone;
    const stopped = this.stop();
    this.dialog = this.fresh();
    this.view.empty();
    await stopped;
    if (talking) await this.start();
  }

  // ---- what comes in

  heard(frame) {
    this.view.level(frame.level);
    this.dialog.heard(frame);
  }

  /** What happened to the line, see line.js. */
  async changed(state, reason) {
    if (state === "open") return;
    this.dialog.lost();
    if (state === "closed") await this.giveUp(reason || UNREACHABLE);
    else if (!reason) await this.ask("v1/models").catch((error) => error instanceof Refused && this.rejected(error));
  }

  async giveUp(why) {
    await this.stop();
    this.view.trouble(why);
  }

  /** A browser is not told why a line was not let in, so it was asked for again in another way. */
  async rejected({ message, status }) {
    await this.giveUp(message);
    if (status === 401) this.settings.askToken();
  }

  async chosen(name) {
    if (!this.sound) return;
    try {
      if (name === "microphone") await this.listen();
      else if (name === "loudspeaker") await this.sound.through(this.settings.device(name));
      else this.dialog.configure();
    } catch (error) {
      if (!(error instanceof SoundError)) throw error;
      this.view.trouble(error.message);
    }
  }

  recordingOver(sound) {
    this.view.playing("");
    if (sound === this.sound && !this.microphone) this.view.advice(DEAF);
  }

  /** A file takes the place of the microphone until it ends. */
  async playRecording(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    await this.start({ microphone: false });
    const { sound } = this;
    if (!sound) return;
    try {
      await sound.listenTo(file, () => this.recordingOver(sound));
      if (sound !== this.sound) return;
      this.view.playing(file.name);
      this.view.advice(this.advice);
    } catch (error) {
      if (sound !== this.sound) return;
      if (!(error instanceof SoundError)) throw error;
      this.view.trouble(error.message);
    }
  }
}

/** What is worth knowing before one speaks: the languages that are understood, to whom uses another. */
function advice({ languages = [] }) {
  const ours = navigator.languages.map((tag) => tag.split("-")[0]);
  if (!languages.length || ours.some((code) => languages.includes(code))) return "";
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  return `Please speak ${languages.map((code) => names.of(code)).join(" or ")}: no other language is understood here.`;
}
