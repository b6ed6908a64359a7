// A row beside its list: the pane of its span. What is open is in the URL; the panel follows the focused row.

const panel = () => document.querySelector("#peek");
const rows = () => [...document.querySelectorAll("#rows tr[data-trace]")];
const side = (row) => [row.dataset.trace, row.dataset.span].filter(Boolean).map(encodeURIComponent).join("/");
const link = (row) => row.querySelector("a.row");
const opened = () => new URL(location.href).searchParams.get("peek");
const shownRow = () => rows().find((row) => side(row) === panel()?.dataset.at);

/** What a pane needs, and a list without one does not: its styles and its behaviour. */
let ready = null;
function prepare() {
  ready ??= Promise.all([
    import("./pane.js"),
    new Promise((done) => {
      const styles = document.createElement("link");
      styles.rel = "stylesheet";
      styles.href = new URL(`trace.css${new URL(import.meta.url).search}`, import.meta.url);
      styles.onload = styles.onerror = done;
      document.head.append(styles);
    }),
  ]);
  return ready;
}

/** What was asked for last; an answer to anything before it comes too late. */
let asked = null;

function remember(at) {
  const url = new URL(location.href);
  if (at) url.searchParams.set("peek", at);
  else url.searchParams.delete("peek");
  history.replaceState(history.state, "", url);
}

function button(text, label, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain";
  made.textContent = text;
  made.title = label;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", press);
  return made;
}

function frame(at) {
  const bar = document.createElement("div");
  const whole = document.createElement("a");
  const content = document.createElement("div");
  const [trace, span] = at.split("/");
  bar.className = "peek-bar";
  whole.href = `/traces/${trace}${span ? `?span=${span}` : ""}`;
  whole.textContent = "Open trace";
  content.className = "pane";
  content.setAttribute("aria-busy", "true");
  bar.append(
    button("↑", "Previous row (k)", () => step(-1)),
    button("↓", "Next row (j)", () => step(1)),
    whole,
    button("✕", "Close (Esc)", close),
  );
  panel().replaceChildren(bar, content);
  panel().dataset.at = at;
  return content;
}

function mark() {
  for (const row of rows()) link(row)?.toggleAttribute("aria-current", row === shownRow());
}

async function open(at) {
  if (!panel()) return;
  asked = at;
  const bar = panel().querySelector(".peek-bar");
  const focused = bar?.contains(document.activeElement) ? [...bar.children].indexOf(document.activeElement) : -1;
  const before = panel().querySelector(".pane");
  const content = frame(at);
  // Until the next pane is there the one before stays, so that nothing flickers.
  if (before) content.replaceChildren(...before.childNodes);
  if (focused >= 0) panel().querySelector(".peek-bar").children[focused].focus();
  panel().hidden = false;
  document.body.classList.add("peeking");
  remember(at);
  mark();
  const asking = fetch(`/peek?at=${encodeURIComponent(at)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const [response] = await Promise.all([asking, prepare()]);
  if (response?.status === 401) return location.reload();
  const text = response ? await response.text().catch(() => null) : null;
  if (asked !== at || !content.isConnected) return;
  const template = document.createElement("template");
  template.innerHTML = text ?? '<p class="notice error" role="alert">The server did not answer. Choose the row again.</p>';
  content.replaceChildren(template.content);
  content.removeAttribute("aria-busy");
  panel().scrollTop = 0;
  htmx.process(content);
}

function close() {
  const row = shownRow();
  const held = panel().contains(document.activeElement);
  asked = null;
  panel().hidden = true;
  panel().replaceChildren();
  delete panel().dataset.at;
  document.body.classList.remove("peeking");
  remember(null);
  mark();
  if (held && row) link(row).focus({ preventScroll: true });
}

function step(by) {
  const all = rows();
  const now = all.indexOf(shownRow());
  const row = all[now < 0 ? 0 : Math.min(Math.max(now + by, 0), all.length - 1)];
  if (!row) return;
  row.scrollIntoView({ block: "nearest" });
  // Further rows come when the end of the list is seen.
  if (row === all.at(-1)) document.querySelector("#rows tr.more")?.scrollIntoView({ block: "nearest" });
  open(side(row));
}

/** Gives each row a button for those who use no keys. */
function equip() {
  for (const row of rows()) {
    if (row.querySelector(".peek-open")) continue;
    const name = link(row)?.textContent ?? "";
    const made = button("Peek", `Peek at ${name}`, () => {
      open(side(row));
      panel().querySelector("button").focus();
    });
    made.classList.add("peek-open");
    made.title = "See it beside the list (Space)";
    row.cells[0]?.append(made);
  }
}

document.addEventListener("focusin", ({ target }) => {
  const row = target.matches?.("#rows a.row") && target.closest("tr");
  if (row && panel()?.dataset.at && panel().dataset.at !== side(row)) open(side(row));
});

document.addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select")) return;
    const row = event.target.closest("#rows a.row")?.closest("tr");
    if (event.key === " " && row) {
      event.preventDefault();
      if (panel().dataset.at === side(row)) panel().querySelector("button").focus();
      else open(side(row));
    }
    if (!panel()?.dataset.at) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
    // Within the panel the keys go on from the row that is shown.
    const by = { j: 1, k: -1 }[event.key];
    if (by && panel().contains(event.target)) {
      event.preventDefault();
      step(by);
    }
  },
  true,
);

let known = null;
function arrange() {
  equip();
  if (panel() === known) return mark();
  known = panel();
  document.body.classList.remove("peeking");
  if (known && opened()) open(opened());
}

new MutationObserver(arrange).observe(document.querySelector("#main"), { childList: true, subtree: true });
arrange();
