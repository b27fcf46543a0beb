// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Asking the depot. An answer that is no success becomes `Failed` with the one clear line that the depot gave.

export class Failed extends Error {
  /** `texts`: the same for people, { de, en }, where the depot gave it. */
  constructor(status, detail, texts = null) {
    super(detail);
    this.status = status; // 0: no answer at all
    this.texts = texts;
  }
}

let csrf = null;

/** From now on every change carries this token. */
export function useCsrf(token) {
  csrf = token ?? null;
}

export function getJson(url, options = {}) {
  return ask(url, options);
}

/** POST, PUT, PATCH or DELETE; `body` is sent as JSON, a FormData or a text of JSON as it is. */
export function send(method, url, body, options = {}) {
  const headers = csrf ? { "X-CSRF-Token": csrf } : {};
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const sent = isForm || body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return ask(url, { method, headers, body: sent, ...options });
}

async function ask(url, { timeoutMs = 20_000, signal, ...options }) {
  const limit = AbortSignal.timeout(timeoutMs);
  let response;
  try {
    response = await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (error.name === "AbortError") throw error; // we do not want the answer any more
    throw new Failed(0, "");
  }
  if (response.status === 401) dispatchEvent(new Event("logged-out"));
  if (!response.ok) throw await failureOf(response);
  return response.status === 204 ? null : response.json();
}

async function failureOf(response) {
  const said = await response.json().catch(() => null);
  const detail = typeof said?.detail === "string" ? said.detail : `${response.status} ${response.statusText}`;
  return new Failed(response.status, detail, said?.text ?? null);
}
