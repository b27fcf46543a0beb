// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What the depot knows, kept up to date: cases, tracks, vehicles, and how the roads felt once somebody wants to see it. Fires "change" after each update and
// "live" when the connection comes or goes. Only a number travels over the live stream; the news are asked for
// from the last one seen, so a lost connection loses nothing.

const PAGE = { cases: 2000, coverage: 2000, roughness: 200 };
const RETRY_MS = 3000;

export class Depot extends EventTarget {
  cases = new Map(); // number -> GeoJSON feature
  tracks = [];
  roughness = [];
  vehicles = [];
  live = false;
  loaded = false;
  /** Cases that came in after the page was opened. */
  fresh = new Set();
  #changed = { cases: 0, coverage: 0, roughness: 0 };
  #wantsRoughness = false;
  #wanted = false;
  #busy = false;

  start() {
    this.#listen();
    // "3 minutes ago" grows old even when no news come.
    setInterval(() => this.dispatchEvent(new Event("tick")), 20_000);
  }

  /** From now on keep how the roads felt, too. */
  wantRoughness() {
    this.#wantsRoughness = true;
    this.#refresh();
  }

  #listen() {
    const stream = new EventSource("/api/events");
    stream.addEventListener("open", () => this.#setLive(true));
    stream.addEventListener("change", () => this.#refresh());
    stream.addEventListener("error", () => {
      this.#setLive(false);
      // It comes back by itself after a lost connection, but gives up after an answer such as 503.
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.#listen(), RETRY_MS);
    });
  }

  #setLive(live) {
    this.live = live;
    this.dispatchEvent(new Event("live"));
  }

  async #refresh() {
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const kinds = ["cases", "coverage", ...(this.#wantsRoughness ? ["roughness"] : [])];
        const [cases, tracks, roughness = []] = await Promise.all(kinds.map((kind) => this.#news(kind)));
        this.#take(cases, tracks, roughness, (await getJson("/api/vehicles")).features);
      }
    } catch (error) {
      console.warn("the depot did not answer:", error); // the stream tells when it is back, and we ask again
    } finally {
      this.#busy = false;
    }
  }

  async #news(kind) {
    const all = [];
    let page;
    do {
      page = (await getJson(`/api/${kind}?after=${this.#changed[kind]}&limit=${PAGE[kind]}`)).features;
      all.push(...page);
      if (page.length) this.#changed[kind] = page.at(-1).properties.changed;
    } while (page.length >= PAGE[kind]); // of roughness one message gives several features, never none
    return all;
  }

  #take(cases, tracks, roughness, vehicles) {
    for (const feature of cases) {
      if (this.loaded && !this.cases.has(feature.id)) this.fresh.add(feature.id);
      this.cases.set(feature.id, feature);
    }
    this.tracks.push(...tracks.filter((track) => track.geometry));
    this.roughness.push(...roughness.filter((felt) => felt.geometry));
    this.vehicles = vehicles;
    this.loaded = true;
    this.dispatchEvent(new CustomEvent("change", { detail: { cases: cases.length, tracks: tracks.length } }));
  }
}

export async function getJson(url, timeoutMs = 20_000) {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
}
