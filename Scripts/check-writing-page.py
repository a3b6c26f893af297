"""Drives the page to write with, in headless Chromium, as a writer would; pictures go into a folder.

Usage: check-writing-page.py URL PICTURES [MODEL-WRITTEN-FROM-RIGHT-TO-LEFT [HOSTILE-MODEL]]

Talks to chromedriver (https://www.w3.org/TR/webdriver2/) with nothing but the standard library.
"""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.request

URL, PICTURES = sys.argv[1:3]
OTHERS = sys.argv[3:]
PORT = 9517
ENTER, ESCAPE, CONTROL, SHIFT, ALT, LEFT, HOME = "\ue007", "\ue00c", "\ue009", "\ue008", "\ue00a", "\ue012", "\ue011"
failures = []


class Browser:
    def __init__(self, width, dark):
        options = {"args": ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={max(width, 500)},1000"]}
        if width < 500:
            options["mobileEmulation"] = {"deviceMetrics": {"width": width, "height": 844, "pixelRatio": 1, "touch": True}}
        self.path = ""
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.path = "/session/" + answer["sessionId"]
        if dark:
            self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
                "features": [{"name": "prefers-color-scheme", "value": "dark"}]}})

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}{self.path}{path}", data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)["value"]

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def go(self):
        self.call("POST", "/url", {"url": URL})
        self.wait("return document.getElementById('model').options.length > 0 && document.getElementById('texts').options.length > 0")

    def wait(self, script, seconds=15, what=None):
        end = time.time() + seconds
        while time.time() < end:
            if self.run(script):
                return True
            time.sleep(0.05)
        check(False, "waited in vain for: " + (what or script))
        return False

    def press(self, *keys):
        """Presses keys together."""
        actions = [{"type": "keyDown", "value": key} for key in keys] + [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def type(self, text):
        actions = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def click(self, selector):
        element = self.call("POST", "/element", {"using": "css selector", "value": selector})
        self.call("POST", f"/element/{list(element.values())[0]}/click", {})

    def point(self, x, y):
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "x": int(x), "y": int(y), "duration": 0}]}]})

    def picture(self, name):
        with open(os.path.join(PICTURES, name + ".png"), "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def complaints(self):
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def close(self):
        self.call("DELETE", "", None)

    # What the page shows.
    def text(self):
        return self.run("return document.getElementById('text').value")

    def status(self):
        return self.run("return document.getElementById('status').textContent")

    def is_writing(self):
        return self.run("return document.getElementById('continue').textContent == 'Stop'")

    def wait_written(self):
        self.wait("return document.getElementById('continue').textContent == 'Continue'", 60)

    def highlighted(self, name):
        return self.run(f"return [...(CSS.highlights.get('{name}') ?? [])].map(r => [r.startOffset, r.endOffset])")

    def set(self, name, value):
        self.run(f"const e=document.getElementById('{name}');e.value={json.dumps(value)};"
                 "e.dispatchEvent(new Event('input',{bubbles:true}));e.dispatchEvent(new Event('change',{bubbles:true}))")

    def focus(self):
        self.run("const t=document.getElementById('text');t.focus();t.setSelectionRange(t.value.length,t.value.length)")


def check(holds, what):
    if not holds:
        failures.append(what)
        print("  wrong:", what)


def check_layout(browser, name):
    check(browser.run("return document.documentElement.scrollWidth <= innerWidth"), f"{name}: the page is wider than its window")
    check(browser.run("""
        const text = document.getElementById('text').getBoundingClientRect(), shown = document.getElementById('shown').getBoundingClientRect();
        return Math.abs(text.width - shown.width) < 1 && Math.abs(text.height - shown.height) < 1"""), f"{name}: the field does not lie on the text")
    check(browser.run("""
        const t = document.getElementById('text'); return t.scrollHeight <= t.clientHeight + 1"""), f"{name}: lines break elsewhere in the field than in the text")
    check(browser.run("""
        return [...document.querySelectorAll('select,input:not([type=file]),textarea,button')].filter(e => e.offsetParent).every(e =>
          e.labels?.length || e.ariaLabel || e.textContent.trim() || e.getAttribute('aria-label'))"""), f"{name}: a control without a name")
    faint = browser.run("""
        const light = color => { const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
          .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
        const paper = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('h1,h2,p,label,kbd,#shown,#status')].filter(e => e.offsetParent && e.textContent.trim()).filter(e => {
          const [x, y] = [light(getComputedStyle(e).color), paper].sort((a, b) => b - a); return (x + .05) / (y + .05) < 4.5;
        }).map(e => e.textContent.trim().slice(0, 20))""")
    check(not faint, f"{name}: faint letters: {faint}")


def check_writing(browser, name):
    browser.go()
    browser.focus()
    browser.type("The scribe wrote")
    check(browser.text() == "The scribe wrote", "typing does not write")
    check(browser.wait("return CSS.highlights.get('s6') || CSS.highlights.get('s5') || CSS.highlights.get('s4')", what="colours while typing"), "no colours")
    browser.set("stop", "length")
    browser.set("length", 60)
    browser.press(CONTROL, ENTER)
    browser.wait_written()
    first = browser.text()
    check(first.startswith("The scribe wrote") and len(first) >= 16 + 60, f"Continue wrote {first!r}")
    check(browser.highlighted("model") == [[16, len(first)]], "the model's words have no shade of their own")
    browser.wait("return document.getElementById('mean').textContent != ''")

    # What was expected: by the cursor, and by the pointer.
    browser.focus()
    for _ in range(3):
        browser.press(LEFT)
    browser.wait("return document.querySelectorAll('#likeliest li:not([hidden]) button').length == 5", what="the five likeliest at the cursor")
    check("nats" in browser.run("return document.getElementById('figure').textContent"), "no surprise at the cursor")
    place = browser.run("""
        const range = document.createRange(), node = document.getElementById('shown').firstChild;
        range.setStart(node, 4); range.setEnd(node, 5); const box = range.getBoundingClientRect();
        return [(box.left + box.right) / 2, (box.top + box.bottom) / 2]""")
    if "1200" in name:  # a phone has no pointer that hovers
        browser.point(*place)
        browser.wait("return document.getElementById('figure').textContent.startsWith('“s”')", what="the figure under the pointer")
    else:
        browser.run("document.getElementById('text').setSelectionRange(4, 4)")
        browser.wait("return document.getElementById('figure').textContent.startsWith('“s”')", what="the figure at the cursor")
    check_layout(browser, name)
    browser.picture(name + "-text")

    # Branch there, then undo it.
    taken = browser.run("return document.querySelector('#likeliest li:nth-child(2) b').textContent").replace("␣", " ").replace("↵", "\n")
    browser.click("#likeliest li:nth-child(2) button")
    browser.wait_written()
    check(browser.text().startswith("The " + taken) and len(browser.text()) > 30, f"a branch with {taken!r} wrote {browser.text()!r}")
    browser.press(CONTROL, "z")
    browser.wait(f"return document.getElementById('text').value == {json.dumps(first)}", what="undo of the branch")
    check(browser.highlighted("model") == [[16, len(first)]], "undo forgets what the model wrote")
    browser.press(CONTROL, SHIFT, "z")
    browser.wait(f"return document.getElementById('text').value != {json.dumps(first)}", what="redo")

    # Retry, with another seed; then the same seed again, which gives the same words.
    browser.press(CONTROL, ENTER)
    browser.wait_written()
    before = browser.text()
    browser.press(CONTROL, SHIFT, ENTER)
    browser.wait_written()
    check(browser.text() != before, "Retry writes the same")
    browser.press(CONTROL, "z")
    browser.run("document.getElementById('keep').checked = true")
    browser.set("seed", 11)
    texts = []
    for _ in range(2):
        browser.press(CONTROL, ENTER)
        browser.wait_written()
        texts.append(browser.text())
        browser.press(CONTROL, "z")
    check(texts[0] == texts[1], "a seed that is kept gives other words")

    # Retry after a branch stays in the branch; undo leads back to the first try.
    browser.run("document.getElementById('keep').checked = false")
    browser.run("const t=document.getElementById('text');t.focus();t.setSelectionRange(6,6)")
    browser.wait("return document.querySelectorAll('#likeliest li:not([hidden]) button').length == 5")
    time.sleep(0.5)
    browser.press(ALT, "2")
    time.sleep(0.2)
    browser.wait_written()
    first_try = browser.text()
    browser.press(CONTROL, SHIFT, ENTER)
    browser.wait_written()
    check(browser.text() != first_try and browser.text()[:7] == first_try[:7], f"Retry after a branch wrote {browser.text()[:20]!r} for {first_try[:20]!r}")
    browser.press(CONTROL, "z")
    browser.wait(f"return document.getElementById('text').value == {json.dumps(first_try)}", what="undo of Retry")

    # Stop in mid-stream.
    browser.run("document.getElementById('keep').checked = true")
    browser.set("seed", 11)
    browser.set("length", 2000)
    start = len(browser.text())
    browser.click("#continue")
    browser.wait(f"return document.getElementById('text').value.length > {start}")
    browser.press(ESCAPE)
    browser.wait_written()
    stopped = browser.text()
    check(start < len(stopped) < start + 2000, f"Stop came after {len(stopped) - start} characters")
    check("Stopped" in browser.status(), "Stop says nothing")
    time.sleep(0.5)
    check(browser.text() == stopped, "words come after Stop")

    # To the end of a sentence.
    browser.set("stop", "sentence")
    browser.press(CONTROL, ENTER)
    browser.wait_written()
    added = browser.text()[len(stopped):]
    check(len(added) >= 1999 or added.rstrip("\"'”’»)")[-1:] in ".!?…;", f"a sentence ends {added[-10:]!r}")
    browser.set("length", 200)

    # Typing stops the model, and what was typed stays.
    browser.wait("return document.getElementById('mean').textContent != ''")
    kept = browser.text()
    browser.focus()
    browser.type(" So it was.")
    check(browser.text() == kept + " So it was.", "typing after the model's words goes wrong")

    # Nothing is lost by closing the page.
    shown = browser.text()
    parts = browser.highlighted("model")
    time.sleep(0.5)
    browser.go()
    check(browser.text() == shown, "the text is gone after a reload")
    check(browser.highlighted("model") == parts, "the model's parts are gone after a reload")
    check(browser.run("return document.getElementById('seed').value") == "11", "the settings are gone after a reload")

    # Input methods write in pieces that replace one another.
    browser.focus()
    before = browser.text()
    for piece, commit in [("k", False), ("か", False), ("漢", True)]:
        browser.call("POST", "/goog/cdp/execute", {"cmd": "Input.insertText" if commit else "Input.imeSetComposition", "params":
                     {"text": piece} if commit else {"text": piece, "selectionStart": 1, "selectionEnd": 1}})
    check(browser.text() == before + "漢", f"an input method wrote {browser.text()[len(before):]!r}")
    browser.wait(f"return document.getElementById('shown').textContent == {json.dumps(before + '漢' + chr(10))}")
    check_layout(browser, name)


def check_model(browser, model, begin, name):
    browser.go()
    browser.set("model", model)
    browser.click("#new")
    browser.wait("return document.activeElement.id == 'text' && document.getElementById('text').value == ''", what="a new text")
    browser.type(begin)
    browser.set("length", 200)
    browser.press(CONTROL, ENTER)
    browser.wait_written()
    check(len(browser.text()) >= len(begin) + 20, f"{model} wrote {browser.text()!r}")
    browser.wait("return document.getElementById('mean').textContent != ''", what=f"figures of {model}")
    browser.press(LEFT)
    browser.wait("return document.querySelectorAll('#likeliest li:not([hidden]) button').length > 1")
    check_layout(browser, name)
    browser.picture(name)


def main():
    os.makedirs(PICTURES, exist_ok=True)
    driver = subprocess.Popen(["chromedriver", f"--port={PORT}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/status")
                break
            except OSError:
                time.sleep(0.1)
        for width in (1200, 390):
            for dark in (False, True):
                name = f"write-{'dark' if dark else 'light'}-{width}"
                browser = Browser(width, dark)
                known = len(failures)
                try:
                    check_writing(browser, name)
                    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
                    check((sum(map(int, paper[4:-1].split(","))) < 200) == dark, f"{name}: the paper is {paper}")
                    if OTHERS:
                        check_model(browser, OTHERS[0], "שלום", name + "-right-to-left")
                        direction = browser.run("return getComputedStyle(document.getElementById('text')).direction")
                        check(direction == "rtl", f"{name}: Hebrew runs {direction}")
                    if len(OTHERS) > 1:
                        check_model(browser, OTHERS[1], "a<", name + "-hostile")
                        check(not browser.run("return window.hacked"), "a symbol of the vocabulary was run")
                    for complaint in browser.complaints():
                        check(False, f"{name}: {complaint}")
                finally:
                    browser.close()
                print(f"{name}: {'all is well' if len(failures) == known else 'wrong'}")
    finally:
        driver.terminate()
    print(f"the pictures are in {PICTURES}")
    sys.exit(1 if failures else 0)


main()
