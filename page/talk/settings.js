// The settings. Choices are stored in the browser, written texts only with the tab.
import { canChooseLoudspeaker, devices } from "./sound.js";

const KEY = "voice-talk";
const DEVICE_KINDS = { microphone: "audioinput", loudspeaker: "audiooutput" };
const ALWAYS_SHOWN = ["speed", "instructions", "microphone", "brain"];

/** `onChange(name)` is called when the person changes a setting. */
export class Settings {
  constructor(root, onChange) {
    this.fields = Object.fromEntries(
      [...root.querySelectorAll("[data-setting]")].map((label) => [label.dataset.setting, label]),
    );
    this.stored = read();
    for (const [name, label] of Object.entries(this.fields)) {
      label.hidden = !ALWAYS_SHOWN.includes(name) && !(name === "loudspeaker" && canChooseLoudspeaker());
      const input = control(label);
      if (this.stored[name] !== undefined && allows(input, this.stored[name])) input.value = this.stored[name];
      input.addEventListener("change", () => this.store(name, input.value, onChange));
    }
    const speed = this.fields.speed;
    control(speed).addEventListener("input", () => this.showSpeed());
    this.showSpeed();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.findDevices());
  }

  /** The settings that a conversation needs; "" leaves the choice to the server. */
  get values() {
    const [voice, brain] = ["voice", "brain"].map((name) => control(this.fields[name]).value);
    const { speed = "1", instructions = "" } = this.stored;
    return { voice, brain, instructions, speed: Number(speed) };
  }

  device(name) {
    return this.stored[name] ?? "";
  }

  get token() {
    return this.stored.token ?? "";
  }

  /** Lists the voices that the server has; the first is the default. */
  setVoices(voices) {
    this.fill("voice", voices.map((name) => [name, name]), voices[0]);
  }

  askToken() {
    this.fields.token.hidden = false;
    this.fields.token.closest("details").open = true;
    control(this.fields.token).focus();
  }

  /** Lists the devices; they have names once the microphone has been allowed. */
  async findDevices() {
    for (const [name, kind] of Object.entries(DEVICE_KINDS)) {
      const found = (await devices(kind)).map(({ deviceId, label }) => [deviceId, label]);
      this.fill(name, [["", "The usual one"], ...found], "");
    }
  }

  fill(name, options, fallback) {
    const select = control(this.fields[name]);
    select.replaceChildren(...options.map(([id, text]) => new Option(text, id)));
    const value = this.stored[name] ?? fallback;
    if (allows(select, value)) select.value = value;
    if (!ALWAYS_SHOWN.includes(name) && name !== "loudspeaker") this.fields[name].hidden = options.length < 2;
  }

  store(name, value, onChange) {
    this.stored[name] = value;
    write(this.stored);
    onChange(name);
  }

  showSpeed() {
    const input = control(this.fields.speed);
    this.fields.speed.querySelector("output").textContent = `${Number(input.value).toFixed(2)} ×`;
    input.setAttribute("aria-valuetext", `${input.value} times`);
  }
}

function control(label) {
  return label.querySelector("select, textarea, input");
}

function allows(input, value) {
  return input.tagName !== "SELECT" || [...input.options].some((option) => option.value === value);
}

function read() {
  return { ...readStorage(() => localStorage), ...readStorage(() => sessionStorage) };
}

/** Returns the settings of a storage; a browser may have none, or content that is not ours. */
function readStorage(storage) {
  try {
    return JSON.parse(storage().getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(stored) {
  const { token, instructions, ...choices } = stored;
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
    sessionStorage.setItem(KEY, JSON.stringify({ token, instructions }));
  } catch {
    // they last as long as the page
  }
}
