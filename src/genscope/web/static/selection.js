// Rows of a list that are chosen: to be compared or deleted. A deletion is asked for in a dialog, and its progress is shown.

const rows = () => [...document.querySelectorAll("#rows tr[data-trace]")];
const side = (row) => [row.dataset.trace, row.dataset.span].filter(Boolean).map(encodeURIComponent).join("/");
const bar = () => document.querySelector("#chosen");
const table = () => document.querySelector(".list:has(> #rows)");

/** What is chosen, by the ids of the rows: the trace and how a comparison names it, the earliest last. */
const chosen = new Map();
let last = null;
let choosing = false;

function choose(row, on) {
  if (on) chosen.set(row.id, { trace: row.dataset.trace, side: side(row), time: BigInt(row.dataset.time) });
  else chosen.delete(row.id);
  const box = row.querySelector(".pick");
  if (box) box.checked = on;
}

function tell() {
  if (!bar()) return;
  const traces = new Set([...chosen.values()].map((one) => one.trace)).size;
  const noun = table()?.querySelector("caption")?.textContent.toLowerCase() ?? "rows";
  const named = chosen.size === 1 ? noun.replace(/s$/, "") : noun;
  const of = noun !== "traces" && chosen.size > 0 ? ` of ${traces} trace${traces === 1 ? "" : "s"}` : "";
  bar().hidden = chosen.size === 0 && !choosing;
  const count = bar().querySelector("[data-count]");
  const text = `${chosen.size} ${named}${of} chosen`;
  // What changes nothing must not be seen as a change.
  if (count.textContent !== text) count.textContent = text;
  table()?.classList.toggle("choosing", chosen.size > 0 || choosing);
  const compare = bar().querySelector("[data-compare]");
  compare.hidden = chosen.size !== 2;
  const [right, left] = [...chosen.values()].sort((a, b) => (a.time < b.time ? 1 : -1));
  if (left) compare.href = `/compare?${new URLSearchParams({ left: left.side, right: right.side })}`;
  const remove = bar().querySelector("[data-delete]");
  if (remove) remove.disabled = chosen.size === 0;
}

/** Gives each row a box. */
function equip() {
  for (const row of rows()) {
    if (row.querySelector(".pick")) continue;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "pick";
    box.title = "Choose (x)";
    box.setAttribute("aria-label", `Choose ${row.querySelector("a.row")?.textContent ?? "this row"}`);
    box.checked = chosen.has(row.id);
    row.cells[0]?.prepend(box);
  }
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const row = target.matches(".pick") && target.closest("tr");
  if (row) {
    const all = rows();
    const [from, to] = [all.indexOf(last), all.indexOf(row)].sort((a, b) => a - b);
    const range = event.shiftKey && from >= 0 ? all.slice(from, to + 1) : [row];
    for (const one of range) choose(one, target.checked);
    last = row;
  }
  if (target.closest("[data-choose-all]")) for (const one of rows()) choose(one, true);
  if (target.closest("[data-choose-none]")) none();
  if (target.closest("[data-choosing]")) {
    choosing = true;
    target.closest("details").open = false;
  }
  if (row || target.closest("#chosen, [data-choosing]")) tell();
  if (target.closest("[data-delete]")) ask("/delete/ask", form());
  const all = target.closest("[data-delete-all]");
  if (all && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    all.closest("details").open = false;
    ask(all.href);
  }
  if (target.closest("dialog [data-cancel]")) {
    event.preventDefault();
    target.closest("dialog").close();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "x" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = event.target.closest("#rows a.row, #rows .pick")?.closest("tr");
  if (!row) return;
  choose(row, !chosen.has(row.id));
  last = row;
  tell();
});

function none() {
  for (const row of rows()) choose(row, false);
  chosen.clear();
  choosing = false;
}

// ---- deleting

function form() {
  const data = new FormData();
  for (const trace of new Set([...chosen.values()].map((one) => one.trace))) data.append("trace", trace);
  data.append("back", location.pathname + location.search);
  return data;
}

function dialog() {
  const found = document.querySelector("#delete");
  if (found) return found;
  const made = document.createElement("dialog");
  made.id = "delete";
  made.setAttribute("aria-labelledby", "delete-title");
  document.body.append(made);
  return made;
}

async function ask(url, body) {
  const response = await fetch(url, { method: body ? "POST" : "GET", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (response?.status === 401) return location.reload();
  dialog().innerHTML = response ? await response.text() : "<p>The server did not answer. Try again.</p>";
  if (!dialog().open) dialog().showModal();
}

/** Deletes, and says how far that is; the server tells it line by line. */
async function remove(question) {
  const headers = { "HX-Request": "true", Accept: "application/x-ndjson" };
  const body = new FormData(question);
  for (const button of question.querySelectorAll("button")) button.disabled = true;
  const response = await fetch(question.action, { method: "POST", body, headers }).catch(() => null);
  if (response?.status === 401) return location.reload();
  if (response && !response.ok) {
    dialog().innerHTML = await response.text();
    return;
  }
  const progress = question.querySelector("progress");
  progress.hidden = false;
  let rest = "";
  let line = null;
  const reader = response?.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader.read()) {
      const lines = (rest + read.value).split("\n");
      rest = lines.pop();
      for (const text of lines) line = JSON.parse(text);
      if (line?.type === "progress") progress.value = line.done;
    }
  } catch {
    line = null;
  }
  if (line?.type === "progress" && line.done === line.total) {
    location.assign(body.get("back") || location.href);
    return;
  }
  const notice = document.createElement("p");
  notice.className = "notice error";
  notice.role = "alert";
  notice.textContent = `Not all of them were deleted: ${line?.message ?? "the server did not answer"}.`;
  progress.before(notice);
}

document.addEventListener("submit", (event) => {
  const question = event.target.closest("#delete form");
  if (!question) return;
  event.preventDefault();
  remove(question);
});

let known = document.querySelector("#rows");
new MutationObserver(() => {
  if (document.querySelector("#rows") !== known) {
    known = document.querySelector("#rows");
    chosen.clear();
    choosing = false;
  }
  equip();
  tell();
}).observe(document.querySelector("#main"), { childList: true, subtree: true });
equip();
