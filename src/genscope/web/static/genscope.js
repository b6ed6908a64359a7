// Behaviour on top of pages that work without it. Listeners sit on the document, so that swapped content needs no set-up.

document.documentElement.classList.add("has-js");

const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
const fresh = 5;

function ago(milliseconds) {
  const seconds = Math.floor((Date.now() - milliseconds) / 1000);
  if (seconds < -60 || seconds >= 7 * 86400) return null;
  if (seconds < fresh) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

function age() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = ago(Date.parse(time.dateTime));
    if (text && time.textContent !== text) time.textContent = text;
  }
}

async function copy(button) {
  const text = button.value || button.parentElement.querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS there is no clipboard API; selecting and copying still works.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = "copied";
  setTimeout(() => (button.textContent = "copy"), 1200);
}

/** Moves the focus to the next or previous of the rows that are shown. */
function move(step) {
  const rows = [...document.querySelectorAll("a.row, #tree li:not([hidden]) > a")];
  if (rows.length === 0) return;
  const now = rows.indexOf(document.activeElement);
  const chosen = rows.findIndex((row) => row.hasAttribute("aria-current"));
  const from = now >= 0 ? now : chosen >= 0 ? chosen : step > 0 ? -1 : rows.length;
  const row = rows[Math.min(Math.max(from + step, 0), rows.length - 1)];
  row.focus({ preventScroll: true });
  (row.closest("tr") ?? row).scrollIntoView({ block: "nearest" });
}

const keys = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  "/": () => document.querySelector("#q")?.focus(),
  "?": () => document.querySelector("#help").showModal(),
  Escape: () => document.querySelector("[data-back]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  // Arrow keys scroll the page as ever, until a row has the focus.
  const scrolls = event.key.startsWith("Arrow") && !document.activeElement.matches("a.row, #tree a");
  if (scrolls || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
  if (event.target.closest("[data-help]")) document.querySelector("#help").showModal();
  // An open menu closes when something else is used.
  for (const menu of document.querySelectorAll("details.custom[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A hidden tab asks for nothing.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});

// The way back from a page that was opened from a list.
addEventListener("pagehide", () => {
  if (document.querySelector("#view")) sessionStorage.setItem("list", location.pathname + location.search);
});
const back = document.querySelector("[data-back]");
const list = sessionStorage.getItem("list");
if (back && list?.startsWith("/")) back.href = list;

// Where the header is narrow its pages scroll sideways: the one that is shown is seen.
document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

setInterval(age, 10_000);
