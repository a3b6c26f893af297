// A text, which parts of it a model wrote, and its history.
//
// Places are UTF-16 offsets, as a text field counts them.

/** How many characters two texts begin with in common. */
export function commonBeginning(a, b) {
  const limit = Math.min(a.length, b.length);
  let count = 0;
  while (count < limit && a.charCodeAt(count) == b.charCodeAt(count)) count++;
  return count;
}

/** How many characters two texts end with in common, behind a beginning. */
function commonEnd(a, b, beginning) {
  const limit = Math.min(a.length, b.length) - beginning;
  let count = 0;
  while (count < limit && a.charCodeAt(a.length - 1 - count) == b.charCodeAt(b.length - 1 - count)) count++;
  return count;
}

export class Manuscript {
  text = "";
  /** The parts that a model wrote, as [start, end), in order. */
  parts = [];
  #past = [];
  #future = [];
  /** When a run of typing began to be one step of the history. */
  #typing = 0;

  get state() { return { text: this.text, parts: this.parts }; }

  set state(state) { [this.text, this.parts] = [state.text, state.parts]; }

  get canUndo() { return this.#past.length > 0; }

  get canRedo() { return this.#future.length > 0; }

  /** Begins a step that can be undone. */
  begin() {
    this.#past.push(this.state);
    if (this.#past.length > 500) this.#past.shift();
    [this.#future, this.#typing] = [[], 0];
  }

  /** What the writer has typed; keys in quick succession are one step. */
  type(text, now) {
    if (now - this.#typing > 1000) this.begin();
    this.#typing = now;
    this.#replace(text);
  }

  /** Adds words of the model at the end. */
  write(words) {
    const start = this.text.length, last = this.parts.at(-1);
    this.text += words;
    this.parts = last && last[1] == start
      ? [...this.parts.slice(0, -1), [last[0], this.text.length]] : [...this.parts, [start, this.text.length]];
  }

  /** Drops everything from a place on. */
  cut(place) { this.#replace(this.text.slice(0, place)); }

  /** Another text, with no history. */
  open(state) {
    this.state = { text: state.text, parts: state.parts };
    [this.#past, this.#future, this.#typing] = [[], [], 0];
  }

  undo() { return this.#step(this.#past, this.#future); }

  redo() { return this.#step(this.#future, this.#past); }

  #step(from, to) {
    if (!from.length) return false;
    to.push(this.state);
    this.state = from.pop();
    this.#typing = 0;
    return true;
  }

  /** The text after a change in one place, with the parts where they were. */
  #replace(text) {
    const start = commonBeginning(this.text, text), end = commonEnd(this.text, text, start);
    const [behind, shift] = [this.text.length - end, text.length - this.text.length];
    const parts = [];
    for (const [a, b] of this.parts) {
      if (a < start) parts.push([a, Math.min(b, start)]);
      if (b > behind) parts.push([Math.max(a, behind) + shift, b + shift]);
    }
    [this.text, this.parts] = [text, parts];
  }
}
