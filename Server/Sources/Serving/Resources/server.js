// Talks to the server that the page came from.

export class Refusal extends Error {}

let askForKey = async () => null;
let key = sessionStorage.getItem("escriba.key");

/** What asks the reader for the key, when the server wants one. */
export function onKeyNeeded(ask) { askForKey = ask; }

async function send(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers.Authorization = "Bearer " + key;
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", body: body && JSON.stringify(body), headers, signal });
  } catch (error) {
    if (error.name == "AbortError") throw error;
    throw new Refusal("the server does not answer; is it running?");
  }
  if (response.ok) return response;
  const message = (await response.json().catch(() => null))?.error?.message ?? "the server answered " + response.status;
  if (response.status == 401) {
    key = await askForKey(key != null);
    if (!key) throw new Refusal(message);
    sessionStorage.setItem("escriba.key", key);
    return send(path, body, signal);
  }
  throw new Refusal(message);
}

export async function models() { return (await (await send("/v1/models")).json()).data; }

export async function score(model, text, skip, signal) {
  return (await send("/v1/perplexity", { model, text, skip }, signal)).json();
}

/** Calls `take` with each piece of text as it comes. Returns why the text ended. */
export async function complete(request, signal, take) {
  const response = await send("/v1/completions", { ...request, stream: true }, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let [waiting, end] = ["", null];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const events = (waiting + value).split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data == "[DONE]") return end;
      const choice = JSON.parse(data).choices[0];
      if (!choice) continue;
      if (choice.finish_reason) end = { reason: choice.finish_reason, stop: choice.stop_reason };
      if (choice.text && take(choice.text) === false) { await reader.cancel(); return null; }
    }
  }
  throw new Refusal("the answer broke off");
}
