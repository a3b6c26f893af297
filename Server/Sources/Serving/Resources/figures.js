// What a model expected at each place of a text.
import { commonBeginning } from "./manuscript.js";

const bytes = new TextEncoder();

export class Figures {
  text = "";
  model = "";
  /** The symbols in order: where each begins and ends in the text, its nats, its rank and what was likeliest. */
  symbols = [];
  /** What is likeliest after the text. */
  next = [];

  /** Forgets what no longer holds of a text. Returns how many symbols still do. */
  keep(text, model) {
    if (model != this.model) this.symbols = [];
    const same = commonBeginning(text, this.text);
    // The last one may grow: a letter may take an accent.
    while (this.symbols.length && this.symbols.at(-1).end >= same && text != this.text) this.symbols.pop();
    if (text != this.text) this.next = [];
    [this.text, this.model] = [text, model];
    return this.symbols.length;
  }

  /** Takes the server's answer for the text that was kept. Returns whether it could be laid over the text. */
  take(answer, separator) {
    if (answer.first != this.symbols.length) return false;
    let place = this.symbols.at(-1)?.end ?? 0;
    let inside = 0;
    for (const token of answer.tokens) {
      const start = place;
      if (token.bytes == 0) {
        // The end of a record: its separator, and further blank lines.
        if (this.text.startsWith(separator, place)) place += separator.length;
        if (separator == "\n\n") while (this.text[place] == "\n") place++;
      } else {
        // Symbols that are parts of a character share it.
        inside += token.bytes;
        while (place < this.text.length) {
          const character = String.fromCodePoint(this.text.codePointAt(place));
          const size = bytes.encode(character).length;
          if (size > inside) break;
          [inside, place] = [inside - size, place + character.length];
        }
      }
      this.symbols.push({ start, end: place, nats: token.nats, rank: token.rank, likeliest: token.likeliest, text: token.text });
    }
    this.next = answer.next;
    const fits = inside == 0 && !this.text.slice(place).trim();
    if (!fits) [this.symbols, this.next] = [[], []];
    return fits;
  }

  /** The symbol at a place; -1 if there is none. */
  at(place) {
    let [low, high] = [0, this.symbols.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.symbols[middle].end <= place) low = middle + 1; else high = middle;
    }
    return low < this.symbols.length && this.symbols[low].start <= place ? low : -1;
  }

  get mean() { return this.symbols.reduce((sum, symbol) => sum + symbol.nats, 0) / this.symbols.length; }
}

/** 0 for what was expected to 6 for what was very surprising. */
export function level(nats) { return [0.5, 1, 2, 3, 5, 8].filter(limit => nats >= limit).length; }
