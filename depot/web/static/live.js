// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The live stream. Only a number travels over it; the news are asked for from the last one seen, so a lost connection
// loses nothing. Fires "cases" with what changed and "live" when the connection comes or goes.

import { getJson } from "./api.js";

const RETRY_MS = 3000;
const QUIET_MS = 300; // many changes at once become one question
const PAGE = 500;

export class Live extends EventTarget {
  connected = false;
  #sequence = null;
  #stream = null;
  #timer = null;
  #asked = null;
  #watch = null;

  /** Listen while somebody is looking: browsers allow six connections to us for all tabs together. */
  start() {
    this.#watch ??= watch(() => this.#open(), () => this.#close());
    this.#open();
  }

  stop() {
    this.#watch?.abort();
    this.#watch = null;
    this.#close();
  }

  #open() {
    this.#close();
    const stream = new EventSource("/api/events");
    this.#stream = stream;
    stream.addEventListener("open", () => this.#set(true));
    stream.addEventListener("change", (event) => this.#heard(Number(event.data)));
    stream.addEventListener("error", () => {
      this.#set(false);
      // It comes back by itself after a lost connection, but gives up after an answer such as 503.
      if (stream.readyState === EventSource.CLOSED) this.#timer = setTimeout(() => this.#open(), RETRY_MS);
    });
  }

  #close() {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = null;
  }

  #set(connected) {
    if (this.connected === connected) return;
    this.connected = connected;
    this.dispatchEvent(new Event("live"));
  }

  #heard(sequence) {
    if (!Number.isFinite(sequence)) return;
    this.#set(true);
    if (this.#sequence === null) this.#sequence = sequence; // the page has just asked for everything
    else if (sequence > this.#sequence) this.#asked ??= setTimeout(() => this.#ask(), QUIET_MS);
  }

  async #ask() {
    try {
      const cases = [];
      const gone = [];
      let page;
      do {
        page = await getJson(`/api/changes?after=${this.#sequence}&limit=${PAGE}`);
        cases.push(...page.cases);
        gone.push(...(page.gone ?? []));
        this.#sequence = Math.max(this.#sequence, page.sequence);
      } while (page.more);
      this.dispatchEvent(new CustomEvent("cases", { detail: { cases, gone } }));
    } catch (error) {
      console.warn("the depot did not answer:", error.message); // the stream tells when it is back, and we ask again
    } finally {
      this.#asked = null;
    }
  }
}

/** Call `seen` when the page comes into view and `unseen` when it goes; abort what this gives to end it. */
function watch(seen, unseen) {
  const ending = new AbortController();
  const { signal } = ending;
  document.addEventListener("visibilitychange", () => (document.hidden ? unseen() : seen()), { signal });
  addEventListener("pagehide", unseen, { signal });
  addEventListener("pageshow", (event) => { if (event.persisted) seen(); }, { signal });
  return ending;
}
