// What both sides have said, as data: one turn for each item of the conversation. Nothing here depends on the browser.

const MAX_RATE = 20; // characters a second; no voice is faster

/** Returns a new turn of the person: `stable` words stay as they are, those of the `tail` may still change. */
export function newPersonTurn(id) {
  return { id, who: "person", stable: "", tail: "", ended: false };
}

/**
 * Returns a new turn of the agent. `texts` arrive with the seconds of audio received before each; `notes` tell what
 * was not read; `received` and `played` are seconds of audio; it is `complete` once all audio has been received.
 */
export function newAgentTurn(id) {
  const audio = { received: 0, complete: false, played: 0 };
  return { id, who: "agent", texts: [], words: [], notes: [], ...audio, interrupted: false, ended: false };
}

/** Adds a piece of text that is spoken in the audio that follows. */
export function addText(turn, text) {
  turn.texts.push({ text, from: turn.received });
}

/** Returns all words of an agent's turn. */
export function textOf(turn) {
  return turn.texts.map(({ text }) => text).join("");
}

/** Splits an agent's turn: [what has been spoken by now, what is still to come]. */
export function splitAtPlayback(turn) {
  const text = textOf(turn);
  if (turn.ended && !turn.interrupted) return [text, ""];
  const end = turn.words.length ? endByWords(turn, text) : endByShare(turn);
  const cut = wordEnd(text, end);
  return [text.slice(0, cut), text.slice(cut)];
}

/** Returns the end of the last word that has begun; the words are found in the text one after the other. */
function endByWords({ words, played }, text) {
  let end = 0;
  for (const word of words) {
    if (word.start > played) break;
    const at = text.indexOf(word.text, end);
    if (at >= 0) end = at + word.text.length;
  }
  return end;
}

/** Estimates the same from the share of each text's audio that has been played. */
function endByShare({ texts, received, complete, played }) {
  let end = 0;
  texts.forEach(({ text, from }, index) => {
    const last = texts[index + 1]?.from ?? received;
    const known = complete || index + 1 < texts.length;
    const share = last > from ? Math.max(0, Math.min(1, (played - from) / (last - from))) : Number(played >= from);
    const most = known ? text.length : Math.max(0, played - from) * MAX_RATE;
    end += Math.min(share * text.length, most);
  });
  return Math.floor(end);
}

/** Returns the end of the word that `at` lies in. */
function wordEnd(text, at) {
  if (at <= 0) return 0;
  const rest = text.slice(at).search(/\s/);
  return rest < 0 ? text.length : at + rest;
}
