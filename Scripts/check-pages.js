// Added to a page by check-pages.sh: drives it as a reader would, and writes what is wrong into its document.
const wrong = [], pageErrors = window.pageErrors;
const check = (holds, what) => { if (!holds) wrong.push(what); };
// The browser's time is not the clock's, but data is unpacked by the clock: some real work lets it pass.
const pause = ms => new Promise(done => setTimeout(() => { for (let k = 0; k < 1e8; k++); done(); }, ms));
const luminance = color => {
  const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + .05) / (y + .05);
};
const key = (target, name) => target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));

async function checkPage() {
  const paper = getComputedStyle(document.body).backgroundColor;
  check(matchMedia("(prefers-color-scheme: dark)").matches == luminance(paper) < .2, "the paper does not follow the colour scheme");
  check(document.documentElement.scrollWidth <= innerWidth, "the page is wider than its window: " + document.documentElement.scrollWidth);
  check(document.documentElement.lang && document.querySelectorAll("h1").length == 1, "no language, or not one heading");
  for (const e of document.querySelectorAll("h1,h2,p,dt,dd,td,th,summary,figcaption,.area span,.yt,.xt,.key li,label")) {
    if (!e.offsetParent || !e.textContent.trim()) continue;
    const style = getComputedStyle(e);
    check(parseFloat(style.fontSize) >= 11.9, "small letters: " + e.textContent.trim().slice(0, 30));
    check(contrast(style.color, paper) >= 4.5, "faint letters: " + e.textContent.trim().slice(0, 30));
  }
  for (const line of document.querySelectorAll(".area svg .line,.area svg .dot"))
    check(contrast(getComputedStyle(line).stroke, paper) >= 3, "a faint line");
  for (const control of document.querySelectorAll("select,input"))
    check(control.closest("label"), "a control without a label: " + control.id);
  for (const area of document.querySelectorAll(".area")) {
    if (!area.offsetParent) continue;
    const boxes = [...area.querySelectorAll("span.x")].filter(s => s.textContent).map(s => s.getBoundingClientRect());
    boxes.forEach((b, i) => check(i == 0 || boxes[i - 1].right <= b.left + 1, "ticks overlap in " + area.ariaLabel));
    const heights = [...area.querySelectorAll("span.y")].map(s => s.getBoundingClientRect()).sort((a, b) => a.top - b.top);
    heights.forEach((b, i) => check(i == 0 || heights[i - 1].bottom <= b.top + 1, "ticks overlap in " + area.ariaLabel));
    check(area.querySelectorAll("span.x").length > 1 && area.querySelectorAll("span.y").length > 1, "few ticks in " + area.ariaLabel);
    check(area.ariaLabel && area.tabIndex == 0, "a chart that cannot be reached");
    check(area.closest("figure").querySelector("table"), "no table behind " + area.ariaLabel);
    if (!area.dataset.xs) continue;
    const read = area.closest("figure").querySelector(".read");
    key(area, "ArrowRight"); const first = read.textContent;
    key(area, "ArrowRight");
    check(first.trim() && read.textContent != first, "arrow keys do not read " + area.ariaLabel);
  }
  const choice = document.querySelector("[value=time]");
  if (choice) {
    choice.click();
    check(document.querySelector(".by-time").offsetParent && !document.querySelector(".by-step").offsetParent, "time cannot be chosen");
    document.querySelector("[value=step]").click();
  }
  const text = document.getElementById("text");
  if (!text) return;
  const detail = document.getElementById("detail"), seen = new Set();
  for (const name of ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]) {
    key(text, name); seen.add(detail.textContent + text.querySelector(".at")?.k);
    check(detail.textContent.startsWith("“") && text.querySelector(".at"), "the keys do not move in the text");
  }
  check(seen.size > 3, "the keys move to " + seen.size + " places");
  text.querySelector("p").scrollIntoView(); await pause(300);
  const colours = () => [...text.querySelector("p").querySelectorAll("span")].map(s => getComputedStyle(s).backgroundColor).join();
  const before = colours();
  check(new Set(before.split(/,(?=rgb)/)).size > 1, "the text has no colours");
  for (const span of text.querySelectorAll("p span")) check(span.className != "undefined", "a character without a colour");
  const what = document.getElementById("what");
  if (!what) return;
  for (const value of [what.options[1]?.value, "any", what.querySelector("[value^=m]")?.value]) {
    if (value === undefined) continue;
    what.value = value; what.dispatchEvent(new Event("input")); await pause(300);
    check(colours() != before, "choosing " + value + " changes nothing");
    check(document.getElementById("numbers").hidden == (value != "any"), "the number of a unit is asked at the wrong time");
  }
  const button = document.querySelector("[data-what]");
  if (button) { (button.firstElementChild || button).click(); await pause(300); check(what.value == button.dataset.what, "a unit's button does not choose it"); }
}

setTimeout(async () => {
  try { await checkPage(); } catch (error) { wrong.push("" + error); }
  parent.postMessage([...new Set([...pageErrors, ...wrong])].join("; ") || "all is well", "*");
}, 500);
