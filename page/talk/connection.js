// The connection to the server: a WebSocket that reconnects by itself.

const RETRY_DELAYS = [0.5, 1, 2, 4, 8, 8, 8]; // seconds before each new attempt
const MAX_UNSENT = 256000; // bytes not yet sent, about four seconds of audio, above which audio is left out
const FINAL_CODES = new Set([1000, 1008, 1013]); // a server closes for good: done, not authorized, full

/**
 * `onEvent` gets each event of the server. `onState` gets "open", "lost" (it will reconnect) or "closed",
 * with the reason that the server gave, or "".
 */
export class Connection {
  constructor(address, { onEvent, onState, protocols = [] }) {
    Object.assign(this, { address, onEvent, onState, protocols, attempts: 0, wanted: true });
    this.reconnect = () => this.retry();
    window.addEventListener("online", this.reconnect);
    this.open();
  }

  open() {
    const socket = new WebSocket(this.address, this.protocols);
    this.socket = socket;
    socket.onopen = () => this.onState("open", "");
    socket.onmessage = ({ data }) => {
      this.attempts = 0; // a connection that is opened and closed at once is not restored
      if (this.socket === socket) this.onEvent(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket === socket) this.handleClose(code, reason);
    };
  }

  handleClose(code, reason) {
    this.socket = null;
    if (!this.wanted) return;
    if (FINAL_CODES.has(code) || this.attempts >= RETRY_DELAYS.length) {
      this.close();
      this.onState("closed", reason);
      return;
    }
    this.onState("lost", reason);
    this.timer = setTimeout(this.reconnect, 1000 * RETRY_DELAYS[this.attempts]);
    this.attempts += 1;
  }

  retry() {
    clearTimeout(this.timer);
    if (this.wanted && !this.socket) this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Sends an event; returns false if the connection is not open. */
  send(event) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(event));
    return true;
  }

  /** Sends an event with audio, unless too much is still unsent: late audio is of little use. */
  sendAudio(event) {
    return this.isOpen && this.socket.bufferedAmount < MAX_UNSENT && this.send(event);
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.reconnect);
    this.socket?.close(1000);
    this.socket = null;
  }
}
