// What both have said, as data: one turn for each item of the conversation. Nothing here knows of the browser.

const PACE = 20; // characters a second that nobody outruns

/** A turn of the person: `settled` words stay as they are, those of the `tail` may still change. */
export function personTurn(id) {
  return { id, who: "person", settled: "", tail: "", over: false };
}

/** A turn of the agent: texts as they come, with the seconds of sound before them; `notes` on what was not read. */
export function agentTurn(id) {
  return { id, who: "agent", texts: [], words: [], notes: [], received: 0, whole: false, said: 0, cut: false, over: false };
}

/** Adds a piece of text that is spoken in the sound that comes next. */
export function addText(turn, text) {
  turn.texts.push({ text, from: turn.received });
}

/** All of an agent's words. */
export function textOf(turn) {
  return turn.texts.map(({ text }) => text).join("");
}

/** [what has been spoken by now, what is still to come] of an agent's turn. */
export function spoken(turn) {
  const text = textOf(turn);
  if (turn.over && !turn.cut) return [text, ""];
  const end = turn.words.length ? byWords(turn, text) : byShare(turn);
  const cut = wordEnd(text, end);
  return [text.slice(0, cut), text.slice(cut)];
}

/** Up to the last word that has begun, found in the text one after the other. */
function byWords({ words, said }, text) {
  let end = 0;
  for (const word of words) {
    if (word.start > said) break;
    const at = text.indexOf(word.text, end);
    if (at >= 0) end = at + word.text.length;
  }
  return end;
}

/** The same from how much of each text's sound has been played. */
function byShare({ texts, received, whole, said }) {
  let end = 0;
  texts.forEach(({ text, from }, index) => {
    const last = texts[index + 1]?.from ?? received;
    const known = whole || index + 1 < texts.length;
    const share = last > from ? Math.max(0, Math.min(1, (said - from) / (last - from))) : Number(said >= from);
    const most = known ? text.length : Math.max(0, said - from) * PACE;
    end += Math.min(share * text.length, most);
  });
  return Math.floor(end);
}

/** The end of the word in which `at` lies. */
function wordEnd(text, at) {
  if (at <= 0) return 0;
  const rest = text.slice(at).search(/\s/);
  return rest < 0 ? text.length : at + rest;
}
