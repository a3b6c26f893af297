// The page to write with: a text that one writes oneself and lets a model continue.
import { Figures } from "./figures.js";
import { Manuscript, commonBeginning } from "./manuscript.js";
import { Refusal, complete, models, onKeyNeeded, score } from "./server.js";
import { Shelf } from "./shelf.js";
import { colour, paint, placeAt, say, tell } from "./view.js";

const $ = id => document.getElementById(id);
const field = $("text");
const manuscript = new Manuscript(), figures = new Figures(), shelf = new Shelf();
const sliders = ["temperature", "top_p", "min_p", "repetition_penalty", "length"];
const usual = { temperature: .8, top_p: 1, min_p: 0, repetition_penalty: 1, length: 200, stop: "length", seed: 1, keep: false, colour: true };
/** The models of the server. */
let offers = [];
/** What is being generated: how to stop it. */
let running = null;
/** The last generation: the text before it and after it. It can be tried again as long as nothing else was written. */
let last = null;
/** What is told of: a place, and the symbols that are likely there; and the same of the cursor, which the keys act on. */
let told = { start: 0, likeliest: [] };
/** Whether the kept text is on the page: before, nothing may be kept in its place. */
let isReady = false;

// MARK: Settings

const model = () => offers.find(offer => offer.id == $("model").value) ?? offers[0];

function settings() {
  const values = { stop: $("stop").value, seed: Math.floor(Number($("seed").value)) || 0, keep: $("keep").checked, colour: $("colour").checked };
  for (const name of sliders) values[name] = Number($(name).value);
  return { ...values, model: $("model").value };
}

function apply(values) {
  values = { ...usual, ...values };
  for (const name of sliders) $(name).value = values[name];
  [$("stop").value, $("seed").value, $("keep").checked, $("colour").checked] = [values.stop, values.seed, values.keep, values.colour];
  if (offers.some(offer => offer.id == values.model)) $("model").value = values.model;
  showSettings();
}

function showSettings() { for (const name of sliders) $(name + "-value").textContent = $(name).value; }

// MARK: The text

/** Shows the text as it is now, and keeps it. */
function show(caret) {
  if (field.value != manuscript.text) {
    field.value = manuscript.text;
    if (caret != null) field.setSelectionRange(caret, caret);
  }
  paint(manuscript);
  const kept = figures.symbols.length;
  if (figures.keep(manuscript.text, $("model").value) != kept) colour(figures, $("colour").checked);
  [$("undo").disabled, $("redo").disabled] = [!manuscript.canUndo, !manuscript.canRedo];
  $("retry").disabled = last?.after != manuscript.text;
  keepSoon();
  scoreSoon();
}

let keeping, scoring, asking;
/** How the list of texts calls this one. */
let shownTitle;

function keepSoon() {
  clearTimeout(keeping);
  keeping = setTimeout(keepNow, 300);
}

function keepNow() {
  clearTimeout(keeping);
  if (isReady && !shelf.keep({ ...manuscript.state, settings: settings() }))
    say("The browser has no room for this text: save it as a file.", true);
  if (shelf.title(manuscript.text) != shownTitle && document.activeElement != $("texts")) listTexts();
}

function scoreSoon() {
  clearTimeout(scoring);
  if (!running) scoring = setTimeout(scoreNow, 250);
}

/** Asks for what is not known of the text. */
async function scoreNow() {
  asking?.abort();
  asking = new AbortController();
  const text = manuscript.text, known = figures.keep(text, $("model").value);
  if (!text || !model()) { colour(figures, false); return showPlace(); }
  try {
    const answer = await score(model().id, text, known, asking.signal);
    if (text != manuscript.text || answer.model != figures.model) return;
    if (!figures.take(answer, model().separator ?? "")) say("This model reads the text in another form; it has no colours.");
    colour(figures, $("colour").checked);
    showPlace();
  } catch (error) { refuse(error); }
}

/** Tells of the character at the cursor, or at another place. */
function showPlace(place = field.selectionStart) { told = tell(figures, place, number => branch(number)); }

function refuse(error) {
  if (error.name == "AbortError") return;
  if (!(error instanceof Refusal)) console.error(error);
  say(error instanceof Refusal ? "It cannot be done: " + error.message : "Something went wrong: " + error, true);
}

// MARK: Writing

/** Where the generated words end, if they have reached their end. */
function ending(words, before, stop) {
  let found = null;
  if (stop == "sentence") {
    found = /\S\s*?(?:[。！？｡][”’」』）]*|[\p{Sentence_Terminal}…]+["'”’»)\]]*(?=\s))/u.exec(words);
  } else if (stop == "paragraph") {
    const hasBlankLines = /\n[ \t]*\n/.test(before) || !before.trim().includes("\n");
    found = (hasBlankLines ? /\S[^]*?\n[ \t]*\n/ : /\S[^]*?\n/).exec(words);
  }
  return found ? found.index + found[0].length : null;
}

function request(values, prompt) {
  const asked = { model: values.model, prompt, max_tokens: values.length, temperature: values.temperature, seed: values.seed };
  if (values.top_p < 1) asked.top_p = values.top_p;
  if (values.min_p > 0) asked.min_p = values.min_p;
  if (values.repetition_penalty > 1) asked.repetition_penalty = values.repetition_penalty;
  return asked;
}

/** Lets the model write on from the end of the text. */
async function write() {
  if (!model()) return;
  const values = settings(), control = new AbortController();
  const { text: before, parts } = manuscript.state;
  running = control;
  asking?.abort();
  setRunning(true);
  say("Writing…");
  let words = "";
  const take = piece => {
    if (control.signal.aborted) return false;
    const end = ending(words + piece, before, values.stop);
    const part = end == null ? piece : piece.slice(0, end - words.length);
    words += part;
    manuscript.write(part);
    show(manuscript.text.length);
    follow();
    return end == null;
  };
  try {
    const end = await complete(request(values, before), control.signal, take);
    const separator = model().separator;
    if (end?.reason == "stop" && separator && !control.signal.aborted) {
      manuscript.write(separator);
      words += separator;
    }
    say(`${[...words].length} characters with seed ${values.seed}.`);
  } catch (error) {
    if (error.name == "AbortError") say(`Stopped after ${[...words].length} characters.`); else refuse(error);
  }
  running = null;
  setRunning(false);
  // What was typed meanwhile is not to be lost by another try.
  last = before + words == manuscript.text ? { before, parts, after: manuscript.text } : null;
  if (!$("keep").checked) $("seed").value = Math.floor(Math.random() * 1e9);
  show(manuscript.text.length);
  follow();
}

function setRunning(isRunning) {
  $("continue").textContent = isRunning ? "Stop" : "Continue";
  field.ariaBusy = isRunning ? "true" : null;
}

/** Keeps the end of the text in sight while it is written. */
function follow() {
  const end = $("shown").getBoundingClientRect().bottom, bottom = document.querySelector(".bar").getBoundingClientRect().top;
  if (end > bottom && end - bottom < innerHeight / 2) scrollBy(0, end - bottom);
}

function stop() { running?.abort(); }

/** Waits until nothing is being written. */
async function settle() {
  stop();
  while (running) await new Promise(done => setTimeout(done, 5));
}

async function proceed() {
  if (running) return stop();
  manuscript.begin();
  await write();
}

async function retry() {
  await settle();
  if (last?.after != manuscript.text) return;
  if ($("keep").checked) $("seed").value = settings().seed + 1;
  manuscript.begin();
  manuscript.state = { text: last.before, parts: last.parts };
  await write();
}

/** Puts a likely symbol in the place of what stands there, and goes on from it. */
async function branch(number, { start, likeliest } = told) {
  if (!likeliest[number]) return;
  await settle();
  manuscript.begin();
  manuscript.cut(start);
  manuscript.write(likeliest[number].text);
  await write();
}

async function step(isBack) {
  await settle();
  const before = manuscript.text;
  if (!(isBack ? manuscript.undo() : manuscript.redo())) return;
  const end = manuscript.text.length - before.length;
  show(Math.max(commonBeginning(before, manuscript.text), commonBeginning(before, manuscript.text) + end));
  say(isBack ? "Undone." : "Redone.");
}

// MARK: Texts and files

async function open(content) {
  await settle();
  manuscript.open({ text: String(content.text ?? ""), parts: validParts(content) });
  last = null;
  apply(content.settings);
  show(manuscript.text.length);
  listTexts();
}

/** Parts of a file that somebody else may have written. */
function validParts({ parts, text }) {
  let last = 0;
  return (Array.isArray(parts) ? parts : []).filter(part => {
    const isValid = Array.isArray(part) && part.length == 2 && part.every(Number.isInteger)
      && part[0] >= last && part[0] < part[1] && part[1] <= String(text ?? "").length;
    if (isValid) last = part[1];
    return isValid;
  });
}

function listTexts() {
  shownTitle = shelf.title(manuscript.text);
  $("texts").replaceChildren(...shelf.texts.map(({ id, title }) => new Option(title, id, false, id == shelf.id)));
  if (!shelf.texts.some(text => text.id == shelf.id)) $("texts").prepend(new Option("(new)", shelf.id, true, true));
}

function save() {
  const content = { format: "escriba-text", version: 1, ...manuscript.state, settings: settings() };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = (manuscript.text.trim().split("\n")[0].slice(0, 40).replace(/[^\p{L}\p{N} -]/gu, "") || "text") + ".json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say("Saved with its settings.");
}

async function openFile() {
  const file = $("file").files[0];
  $("file").value = "";
  if (!file) return;
  const text = (await file.text()).replace(/\r\n?/g, "\n");
  let content = { text };
  if (/\.json$/i.test(file.name)) {
    try { content = JSON.parse(text); } catch { content = null; }
    if (content?.format != "escriba-text") return say(`${file.name} is not a text that this page has saved.`, true);
  }
  keepNow();
  await shelf.begin();
  await open(content);
  say(`Opened ${file.name}.`);
}

// MARK: What the reader does

$("continue").addEventListener("click", proceed);
$("retry").addEventListener("click", retry);
$("undo").addEventListener("click", () => step(true));
$("redo").addEventListener("click", () => step(false));
$("save").addEventListener("click", save);
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", openFile);
$("new").addEventListener("click", async () => {
  keepNow();
  // What is typed before the new text is there would be lost.
  field.readOnly = true;
  await shelf.begin();
  await open({ settings: settings() });
  field.readOnly = false;
  field.focus();
});
$("texts").addEventListener("pointerdown", listTexts);
$("texts").addEventListener("focus", listTexts);
$("texts").addEventListener("change", async () => {
  keepNow();
  const content = await shelf.take($("texts").value);
  if (content) await open(content); else say("That text is open in another page.", true);
  listTexts();
});
for (const name of sliders) $(name).addEventListener("input", () => { showSettings(); keepSoon(); });
for (const name of ["stop", "seed", "keep"]) $(name).addEventListener("change", keepSoon);
$("colour").addEventListener("change", () => { colour(figures, $("colour").checked); keepSoon(); });
$("model").addEventListener("change", () => { show(); scoreSoon(); });

field.addEventListener("input", () => {
  stop();
  manuscript.type(field.value, performance.now());
  show();
});
field.addEventListener("beforeinput", event => {
  if (event.inputType != "historyUndo" && event.inputType != "historyRedo") return;
  event.preventDefault();
  step(event.inputType == "historyUndo");
});
document.addEventListener("selectionchange", () => { if (document.activeElement == field && !running) showPlace(); });
field.addEventListener("pointermove", event => {
  const place = running ? null : placeAt(event.clientX, event.clientY);
  if (place != null) showPlace(place);
});
addEventListener("keydown", event => {
  const isCommand = event.ctrlKey || event.metaKey;
  const isInText = event.target == field, isElsewhere = event.target.closest?.("input,select") != null;
  // On a Mac these keys write characters.
  const digit = event.altKey && !event.ctrlKey && isInText && !/Mac|iP/.test(navigator.platform) && /^Digit([1-5])$/.exec(event.code);
  let action = null;
  if (isCommand && event.key == "Enter") action = event.shiftKey ? retry : proceed;
  else if (isCommand && event.key.toLowerCase() == "z" && !event.isComposing && !isElsewhere) action = () => step(!event.shiftKey);
  else if (isCommand && event.key.toLowerCase() == "y" && !isElsewhere) action = () => step(false);
  else if (digit) action = () => { showPlace(); branch(digit[1] - 1); };
  else if (event.key == "Escape" && running) action = stop;
  if (!action || event.target.closest?.("dialog")) return;
  event.preventDefault();
  action();
});
addEventListener("pagehide", keepNow);
document.addEventListener("visibilitychange", () => { if (document.hidden) keepNow(); });

onKeyNeeded(wasWrong => new Promise(done => {
  $("wrong").hidden = !wasWrong;
  $("ask").addEventListener("close", () => { done($("key").value); $("key").value = ""; }, { once: true });
  $("ask").showModal();
}));

async function begin() {
  field.readOnly = true;
  const kept = await shelf.take();
  if (!kept) await shelf.begin();
  try { offers = await models(); } catch (error) { refuse(error); }
  $("model").replaceChildren(...offers.map(offer => new Option(offer.id, offer.id)));
  isReady = true;
  field.readOnly = false;
  await open(kept ?? {});
}

begin();
