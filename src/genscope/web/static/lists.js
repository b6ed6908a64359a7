// Lists: new rows while auto-refresh is on.

const every = 5_000;
const maxPages = 10;
let busy = false;

const timed = (body) => body.querySelectorAll("tr[data-time]");
const time = (row) => BigInt(row.dataset.time);

/** Puts newer rows in their places and refreshes changed ones. Nothing that is read or focused moves or vanishes. */
function merge(body, rows) {
  for (const row of rows) {
    const shown = document.getElementById(row.id);
    if (shown?.contains(document.activeElement)) continue;
    if (shown) {
      if (shown.innerHTML !== row.innerHTML) shown.replaceWith(row);
      continue;
    }
    const older = [...timed(body)].find((other) => time(other) < time(row));
    row.classList.add("new");
    body.insertBefore(row, older ?? body.querySelector("tr.more"));
  }
}

/** Says above the older of two rows that what came between them is not shown. */
function part(older) {
  const row = document.createElement("tr");
  const link = document.createElement("a");
  row.className = "between";
  row.insertCell().colSpan = older.cells.length;
  row.cells[0].append(link);
  link.href = location.href;
  link.textContent = "More arrived in between than is shown: reload";
  older.before(row);
}

async function fetchRows(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (response?.status === 401) location.reload();
  if (!response?.ok) return null;
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return template.content;
}

/** Fetches pages from the newest row on until one ends at a row that is shown already, or below all that are. */
async function refresh() {
  const body = document.querySelector("#rows[data-live]");
  if (!body || busy || document.hidden) return;
  busy = true;
  try {
    const rows = [];
    // What is older than the list so far comes by scrolling; a list that is complete takes late arrivals at its end.
    const end = body.querySelector("tr.more") ? time([...timed(body)].at(-1)) : null;
    let url = body.dataset.live;
    let last, more;
    for (let page = 0; url && page < maxPages; page++) {
      const found = await fetchRows(url);
      if (!found || !body.isConnected) return;
      rows.push(...timed(found));
      last = rows.at(-1);
      const met = !last || document.getElementById(last.id) || (end !== null && time(last) <= end);
      more = found.querySelector("tr.more");
      url = met ? null : more?.getAttribute("hx-get");
    }
    const below = [...timed(body)].find((row) => last && time(row) < time(last));
    merge(body, end === null ? rows : rows.filter((row) => time(row) >= end));
    if (url && below) part(below);
    if (url && !below) {
      body.append(more);
      htmx.process(body);
    }
    if (rows.length > 0) document.querySelector("[data-waiting]")?.remove();
  } finally {
    busy = false;
  }
}

setInterval(refresh, every);
document.addEventListener("visibilitychange", refresh);
