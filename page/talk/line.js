// The line to the server: a WebSocket that comes back by itself.

const WAITS = [0.5, 1, 2, 4, 8, 8, 8]; // seconds before each new try
const BEHIND = 256000; // bytes not yet sent, some four seconds of sound, after which sound is left out
const FINAL = new Set([1000, 1008, 1013]); // codes with which a server closes for good: done, not let in, full

/**
 * `told` gets each event of the server; `changed` gets "open", "lost" (it will be tried again) or "closed",
 * with the reason that the server gave, or "".
 */
export class Line {
  constructor(address, { told, changed, protocols = [] }) {
    Object.assign(this, { address, told, changed, protocols, tries: 0, wanted: true });
    this.again = () => this.retry();
    window.addEventListener("online", this.again);
    this.open();
  }

  open() {
    const socket = new WebSocket(this.address, this.protocols);
    this.socket = socket;
    socket.onopen = () => this.changed("open", "");
    socket.onmessage = ({ data }) => {
      this.tries = 0; // a line that is opened and closed at once has not come back
      if (this.socket === socket) this.told(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket === socket) this.closed(code, reason);
    };
  }

  closed(code, reason) {
    this.socket = null;
    if (!this.wanted) return;
    if (FINAL.has(code) || this.tries >= WAITS.length) {
      this.close();
      this.changed("closed", reason);
      return;
    }
    this.changed("lost", reason);
    this.timer = setTimeout(this.again, 1000 * WAITS[this.tries]);
    this.tries += 1;
  }

  retry() {
    clearTimeout(this.timer);
    if (this.wanted && !this.socket) this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Sends an event; false where the line is not there. */
  send(event) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(event));
    return true;
  }

  /** The same for sound, which is not worth much when it comes late. */
  sendSound(event) {
    return this.isOpen && this.socket.bufferedAmount < BEHIND && this.send(event);
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.again);
    this.socket?.close(1000);
    this.socket = null;
  }
}
