// Paints a text with its colours, and tells what the model expected at a place.
import { level } from "./figures.js";

const $ = id => document.getElementById(id);
const letters = new Text("\n");
$("shown").append(letters);

const range = (start, end) => new StaticRange({ startContainer: letters, startOffset: start, endContainer: letters, endOffset: end });

function highlight(name, ranges) {
  if (ranges.length) CSS.highlights?.set(name, new Highlight(...ranges));
  else CSS.highlights?.delete(name);
}

/** Shows the text, and which parts the model wrote. */
export function paint(manuscript) {
  // A line feed at the very end makes no line of its own.
  if (letters.data != manuscript.text + "\n") letters.data = manuscript.text + "\n";
  highlight("model", manuscript.parts.map(([start, end]) => range(start, end)));
}

/** Shows how surprising each symbol was; neighbours of one colour are one range. */
export function colour(figures, isOn) {
  const ranges = [[], [], [], [], [], [], []];
  let run = null;
  const close = () => { if (run) ranges[run.level].push(range(run.start, run.end)); run = null; };
  for (const symbol of isOn ? figures.symbols : []) {
    const of = level(symbol.nats);
    if (run && run.level == of && run.end == symbol.start) run.end = symbol.end;
    else { close(); run = { level: of, start: symbol.start, end: symbol.end }; }
  }
  close();
  ranges.forEach((ranges, level) => { if (level) highlight("s" + level, ranges); });
  $("mean").textContent = figures.symbols.length
    ? `On average ${figures.mean.toFixed(2)} nats a symbol, as if the model had guessed among ${Math.exp(figures.mean).toFixed(1)}.` : "";
}

/** The place of the character under the pointer; null outside the text. */
export function placeAt(x, y) {
  const text = $("text"), position = document.caretPositionFromPoint?.(x, y);
  let near = position?.offsetNode == text ? position.offset : null;
  if (near == null) {
    // Browsers that do not look into a text field look behind it.
    text.style.pointerEvents = "none"; $("shown").style.pointerEvents = "auto";
    const behind = document.caretPositionFromPoint?.(x, y) ?? document.caretRangeFromPoint?.(x, y);
    text.style.pointerEvents = $("shown").style.pointerEvents = "";
    const node = behind?.offsetNode ?? behind?.startContainer;
    if (node == letters) near = behind.offset ?? behind.startOffset;
  }
  if (near == null) return null;
  const box = document.createRange();
  for (const place of [near, near - 1, near + 1]) {
    if (place < 0 || place >= letters.length - 1) continue;
    box.setStart(letters, place); box.setEnd(letters, place + 1);
    for (const { left, right, top, bottom } of box.getClientRects())
      if (left <= x && x <= right && top <= y && y <= bottom) return place;
  }
  return null;
}

/** A symbol as it is shown in a list. */
export function named(text) {
  return { " ": "␣", "\n": "↵", "\n\n": "↵↵", "\t": "⇥", "": "∎" }[text] ?? text;
}

const spoken = text => ({ " ": "a space", "\n": "a line end", "\t": "a tab", "": "the end" }[text] ?? `“${text}”`);

/** What is called with the number of a symbol that is pressed. */
let chosen;

function candidateButton(number) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.append(...["b", "i", "span"].map(kind => document.createElement(kind)));
  button.addEventListener("click", () => chosen(number));
  item.append(button);
  return item;
}

/** Tells what was expected at a place. `choose` is called with the number of a symbol that is pressed. */
export function tell(figures, place, choose) {
  const index = figures.at(place), symbol = figures.symbols[index];
  const isEnd = !symbol && place >= figures.text.length && figures.next.length > 0;
  const likeliest = symbol?.likeliest ?? (isEnd ? figures.next : []);
  if (symbol) {
    $("figure").textContent = `${spoken(symbol.text)}: ${symbol.nats.toFixed(2)} nats of surprise, `
      + (symbol.rank == 1 ? "the likeliest here." : `number ${symbol.rank} of what was likely here.`);
  } else {
    $("figure").textContent = isEnd ? "What may come next:" : "No figures for this place yet.";
  }
  highlight("at", symbol ? [range(symbol.start, symbol.end)] : []);
  // The buttons stay, so that one that is used keeps the focus.
  while ($("likeliest").children.length < 5) $("likeliest").append(candidateButton($("likeliest").children.length));
  chosen = choose;
  [...$("likeliest").children].forEach((item, number) => {
    const candidate = likeliest[number], button = item.firstChild;
    item.hidden = !candidate;
    if (!candidate) return;
    const [name, bar, share] = button.children;
    name.textContent = named(candidate.text);
    bar.style.width = 100 * candidate.probability + "%";
    share.textContent = (100 * candidate.probability).toFixed(candidate.probability < .1 ? 1 : 0) + " %";
    button.ariaLabel = `Go on from here with ${spoken(candidate.text)}, ${share.textContent}`;
    button.ariaCurrent = symbol && candidate.text == symbol.text ? "true" : null;
  });
  return { start: symbol?.start ?? figures.text.length, likeliest };
}

export function say(message, isWrong = false) {
  $("status").textContent = message;
  $("status").className = isWrong ? "wrong" : "";
}
