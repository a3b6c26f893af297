// Keeps texts in the browser, so that closing the page loses nothing. Each open page has a text of its own.

const prefix = "escriba.text.";

function stored() {
  const texts = [];
  for (let index = 0; index < localStorage.length; index++) {
    const name = localStorage.key(index);
    if (!name.startsWith(prefix)) continue;
    try { texts.push({ id: name.slice(prefix.length), ...JSON.parse(localStorage.getItem(name)) }); } catch { /* not ours */ }
  }
  return texts.sort((a, b) => b.time - a.time);
}

/** The text that this page had before it was loaded again. */
const mine = "escriba.mine";

/** Holds a text for this page until the page is closed; false if another page has it. */
function hold(id) {
  // Without locks (plain http from another machine) nobody knows: a page has only what it had, or what is chosen from the list.
  if (!navigator.locks) return Promise.resolve(sessionStorage.getItem(mine) == id);
  return new Promise(done => {
    navigator.locks.request(prefix + id, { ifAvailable: true }, lock => {
      done(lock != null);
      return lock && new Promise(release => { releases.set(id, release); });
    });
  });
}
const releases = new Map();

export class Shelf {
  id = null;

  /** Texts that are kept, the latest first. */
  get texts() { return stored().map(({ id, text }) => ({ id, title: this.title(text) })); }

  title(text) { return text.trimStart().slice(0, 40).split("\n")[0].trimEnd() || "(empty)"; }

  /** Takes a text down: one by its id, or the latest that no other page has. null if there is none. */
  async take(id) {
    const before = this.id;
    const candidates = id ? stored().filter(text => text.id == id) : stored();
    if (id && !navigator.locks) sessionStorage.setItem(mine, id);
    for (const text of candidates) {
      if (text.id == before || !await hold(text.id)) continue;
      this.#leave(before);
      this.id = text.id;
      return text;
    }
    return null;
  }

  /** Begins a new text. */
  async begin() {
    this.#leave(this.id);
    this.id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    sessionStorage.setItem(mine, this.id);
    await hold(this.id);
  }

  #leave(id) {
    releases.get(id)?.();
    releases.delete(id);
  }

  /** Keeps the text; false if the browser has no room. */
  keep(content) {
    try {
      if (content.text) localStorage.setItem(prefix + this.id, JSON.stringify({ ...content, time: Date.now() }));
      else localStorage.removeItem(prefix + this.id);
      return true;
    } catch { return false; }
  }
}
