// The settings drawer. What is chosen there is kept in the browser, what is written there with the tab.
import { choosesLoudspeaker, devices } from "./sound.js";

const KEY = "voice-talk";
const KINDS = { microphone: "audioinput", loudspeaker: "audiooutput" };
const SHOWN_ALWAYS = ["speed", "instructions", "microphone", "brain"];

/** `changed(name)` is called when the person chooses something else. */
export class Settings {
  constructor(root, changed) {
    this.fields = Object.fromEntries(
      [...root.querySelectorAll("[data-setting]")].map((label) => [label.dataset.setting, label]),
    );
    this.kept = read();
    for (const [name, label] of Object.entries(this.fields)) {
      label.hidden = !SHOWN_ALWAYS.includes(name) && !(name === "loudspeaker" && choosesLoudspeaker());
      const input = control(label);
      if (this.kept[name] !== undefined && canBe(input, this.kept[name])) input.value = this.kept[name];
      input.addEventListener("change", () => this.take(name, input.value, changed));
    }
    const speed = this.fields.speed;
    control(speed).addEventListener("input", () => this.tellSpeed());
    this.tellSpeed();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.findDevices());
  }

  /** What is chosen, as the dialog takes it; "" is for the server to choose. */
  get chosen() {
    const [voice, brain] = ["voice", "brain"].map((name) => control(this.fields[name]).value);
    const { speed = "1", instructions = "" } = this.kept;
    return { voice, brain, instructions, speed: Number(speed) };
  }

  device(name) {
    return this.kept[name] ?? "";
  }

  get token() {
    return this.kept.token ?? "";
  }

  /** The voices that the server has; the first is the usual one. */
  offer(voices) {
    this.fill("voice", voices.map((name) => [name, name]), voices[0]);
  }

  askToken() {
    this.fields.token.hidden = false;
    this.fields.token.closest("details").open = true;
    control(this.fields.token).focus();
  }

  /** The devices have names once the microphone has been allowed. */
  async findDevices() {
    for (const [name, kind] of Object.entries(KINDS)) {
      const found = (await devices(kind)).map(({ deviceId, label }) => [deviceId, label]);
      this.fill(name, [["", "The usual one"], ...found], "");
    }
  }

  fill(name, options, usual) {
    const select = control(this.fields[name]);
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    const wanted = this.kept[name] ?? usual;
    if (canBe(select, wanted)) select.value = wanted;
    if (!SHOWN_ALWAYS.includes(name) && name !== "loudspeaker") this.fields[name].hidden = options.length < 2;
  }

  take(name, value, changed) {
    this.kept[name] = value;
    write(this.kept);
    changed(name);
  }

  tellSpeed() {
    const input = control(this.fields.speed);
    this.fields.speed.querySelector("output").textContent = `${Number(input.value).toFixed(2)} ×`;
    input.setAttribute("aria-valuetext", `${input.value} times`);
  }
}

function control(label) {
  return label.querySelector("select, textarea, input");
}

function canBe(input, value) {
  return input.tagName !== "SELECT" || [...input.options].some((option) => option.value === value);
}

function read() {
  return { ...parsed(() => localStorage), ...parsed(() => sessionStorage) };
}

/** What lies in a storage; a browser may have none, or something in it that is not ours. */
function parsed(storage) {
  try {
    return JSON.parse(storage().getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(kept) {
  const { token, instructions, ...chosen } = kept;
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
    sessionStorage.setItem(KEY, JSON.stringify({ token, instructions }));
  } catch {
    // it is forgotten with the page
  }
}
