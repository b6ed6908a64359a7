// Live lists: rows appear, change and go as they are stored. The server names the traces that have new rows, and those rows are
// fetched as the list shows them. Nothing that is read moves: what belongs above it waits until it is asked for.

const poll = 5_000;
const maxPages = 10;
const tracesAtOnce = 50;
const mostHeld = 500;

const body = () => document.querySelector("#rows[data-live]");
const timed = (node) => [...node.querySelectorAll("tr[data-time]")];
const place = (row) => [BigInt(row.dataset.time), row.dataset.trace, row.dataset.span ?? ""];
const newer = (one, other) => {
  const [a, b] = [place(one), place(other)];
  const differing = a.findIndex((value, index) => value !== b[index]);
  return differing >= 0 && a[differing] > b[differing];
};
const used = (row) => row.contains(document.activeElement) && row.querySelector(":focus-visible") !== null;

/** Traces that have new rows; `null` if they are too many to be named, or nobody knows. */
let waiting = new Set();
let paused = false;
let busy = false;
/** Rows that are not shown yet, by their ids, and whether there are more than are held. */
const held = new Map();
let missed = false;

// ---- fetching

async function fetchRows(parameters) {
  const url = new URL(body().dataset.live, location.href);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  const response = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (response?.status === 401) location.reload();
  if (!response?.ok) return null;
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  const more = template.content.querySelector("tr.more");
  const cursor = more && new URL(more.dataset.load, location.href).searchParams.get("cursor");
  return { rows: timed(template.content), more, cursor };
}

/** Fetches the rows of these traces, and finds those that are shown and belong here no more. */
async function follow(list, traces) {
  const only = traces.map((trace) => ["only", trace]);
  const rows = [];
  let cursor;
  for (let page = 0; page === 0 || (cursor && page < maxPages); page++) {
    const found = await fetchRows(cursor ? [...only, ["cursor", cursor]] : only);
    if (!found || !list.isConnected) return false;
    rows.push(...found.rows);
    cursor = found.cursor;
  }
  const ids = new Set(rows.map((row) => row.id));
  const gone = cursor ? [] : timed(list).filter((row) => traces.includes(row.dataset.trace) && !ids.has(row.id));
  take(list, rows, gone);
  return true;
}

/** Fetches pages from the newest row on until one ends at a row that is known, or below all that are shown. */
async function refresh(list) {
  const rows = [];
  let cursor, last, more;
  for (let page = 0; page === 0 || (cursor && page < maxPages); page++) {
    const found = await fetchRows(cursor ? [["cursor", cursor]] : []);
    if (!found || !list.isConnected) return false;
    rows.push(...found.rows);
    last = rows.at(-1);
    const end = list.querySelector("tr.more") && timed(list).at(-1);
    const met = !last || document.getElementById(last.id) || held.has(last.id) || (end && newer(end, last));
    more = found.more;
    cursor = met ? null : found.cursor;
  }
  if (holding(list)) {
    missed ||= Boolean(cursor);
    take(list, rows, []);
    return true;
  }
  const below = last && timed(list).find((row) => newer(last, row));
  take(list, rows, []);
  if (cursor && below) part(below);
  if (cursor && !below) list.append(more);
  return true;
}

/** Says above the older of two rows that what came between them is not shown. */
function part(older) {
  if (older.previousElementSibling?.matches(".between")) return;
  const row = document.createElement("tr");
  const link = document.createElement("a");
  row.className = "between";
  row.insertCell().colSpan = older.cells.length;
  row.cells[0].append(link);
  link.href = location.href;
  link.textContent = "More arrived in between than is shown: reload";
  older.before(row);
}

// ---- showing

/** The first row of which something is to be seen, if there are rows above it. */
function top(list) {
  const edge = document.querySelector(".top").getBoundingClientRect().bottom + 40;
  if (list.getBoundingClientRect().top >= edge - 80) return null;
  return timed(list).find((row) => row.getBoundingClientRect().bottom > edge) ?? null;
}

const holding = (list) => paused || top(list) !== null;

/** Shows rows, or holds those that would move what is read. */
function take(list, rows, gone) {
  // What is older than the list so far comes by scrolling; a list that is complete takes late arrivals at its end.
  const end = list.querySelector("tr.more") ? timed(list).at(-1) : null;
  const first = top(list);
  for (const row of rows) {
    const shown = document.getElementById(row.id);
    if (!shown && end && newer(end, row)) continue;
    if (paused || (!shown && first && newer(row, first))) hold(row);
    else put(list, row, shown);
  }
  if (!paused) for (const row of gone) if (!used(row)) row.remove();
  missed ||= paused && gone.length > 0;
  document.querySelector("[data-waiting]")?.toggleAttribute("hidden", timed(list).length > 0);
  tell();
}

function put(list, row, shown) {
  held.delete(row.id);
  if (shown) {
    if (shown.innerHTML === row.innerHTML && shown.className === row.className) return;
    if (used(shown)) return;
    row.dataset.changed = "";
    if (shown.dataset.time === row.dataset.time) return shown.replaceWith(row);
    shown.remove();
  }
  row.classList.add("new");
  list.insertBefore(row, timed(list).find((other) => newer(row, other)) ?? list.querySelector("tr.more"));
}

function hold(row) {
  if (held.size < mostHeld || held.has(row.id)) held.set(row.id, row);
  else missed = true;
}

/** Shows what was held; where that was not all of it, the newest rows anew. */
async function show() {
  const list = body();
  if (!list) return;
  const rows = [...held.values()];
  held.clear();
  for (const row of rows) put(list, row, document.getElementById(row.id));
  if (missed) {
    missed = false;
    waiting = null;
  }
  tell();
  await look();
}

/** Says how many rows are held, and whether the list stands still. */
function tell() {
  const count = [...held.keys()].filter((id) => !document.getElementById(id)).length;
  const news = document.querySelector("#news");
  if (news) {
    news.hidden = count === 0 && !missed;
    news.querySelector("button").textContent = `${count.toLocaleString("en")}${missed ? "+" : ""} new`;
  }
  const button = document.querySelector("[data-pause]");
  if (!button) return;
  button.textContent = paused ? "Resume" : "Pause";
  button.closest(".live").classList.toggle("paused", paused);
}

// ---- news

/** Fetches what there is news of; one thing at a time. */
async function look() {
  const list = body();
  if (!list || busy || document.hidden || waiting?.size === 0) return;
  busy = true;
  const traces = waiting;
  waiting = new Set();
  try {
    let done = true;
    if (traces === null) done = await refresh(list);
    const named = [...(traces ?? [])];
    for (let begin = 0; done && begin < named.length; begin += tracesAtOnce) {
      done = await follow(list, named.slice(begin, begin + tracesAtOnce));
    }
  } finally {
    busy = false;
  }
  if (waiting === null || waiting.size > 0) setTimeout(look);
}

function hear(traces) {
  if (traces === null || traces.length === 0) waiting = null;
  else if (waiting) for (const trace of traces) waiting.add(trace);
  look();
}

let source = null;

/** Listens while a live list is looked at; a browser has few connections to a server. */
function listen() {
  const wanted = body() !== null && !document.hidden;
  if (wanted && !source) {
    source = new EventSource("/live");
    source.onmessage = (event) => hear(JSON.parse(event.data).traces);
  } else if (!wanted && source) {
    source.close();
    source = null;
  }
  if (!body()) {
    held.clear();
    missed = paused = false;
  }
  tell();
}

// What other servers of the store take in is no news here; and so it goes on where the line is cut.
setInterval(() => hear(null), poll);
document.addEventListener("visibilitychange", () => {
  listen();
  hear(null);
});
addEventListener("pagehide", () => source?.close());

// ---- what people do

function pause() {
  if (!body()) return;
  paused = !paused;
  tell();
  if (!paused) show();
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-pause]")) pause();
  if (!target.closest("#news button")) return;
  paused = false;
  scrollTo({ top: 0, behavior: "instant" });
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "p" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  pause();
});
let scrolled = false;
addEventListener(
  "scroll",
  () => {
    if (scrolled || paused || held.size === 0) return;
    scrolled = true;
    requestAnimationFrame(() => {
      scrolled = false;
      if (body() && !top(body())) show();
    });
  },
  { passive: true },
);

// The list is exchanged as a whole when something else is asked for.
let shownList = body();
new MutationObserver(() => {
  if (body() === shownList) return;
  shownList = body();
  held.clear();
  missed = paused = false;
  listen();
}).observe(document.querySelector("#main"), { childList: true, subtree: true });
listen();
