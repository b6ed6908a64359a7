// A trace: choosing a span loads its pane alone, the tree folds, hits and errors are jumped to, the axis of time is zoomed.

import "./pane.js";
import { Rows } from "./rows.js";
import { timeline } from "./timeline.js";

const tree = document.querySelector("#tree");
const pane = document.querySelector("#pane");
const rows = tree && new Rows(tree, document.querySelector("#rest"));
const spanOf = (link) => new URL(link.href).searchParams.get("span");

/** Sets a parameter of the page's URL without loading it again; an empty value drops it. */
export function remember(name, value, push = false) {
  const url = new URL(location.href);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  history[push ? "pushState" : "replaceState"]({ htmx: true }, "", url);
}

function mark(link) {
  for (const item of rows.items) item.lastElementChild.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
}

async function show(id) {
  const text = new URLSearchParams(location.search).get("text");
  const url = `${tree.dataset.base}/spans/${encodeURIComponent(id)}${text ? `?text=${text}` : ""}`;
  await htmx.ajax("GET", url, { target: "#pane", swap: "innerHTML", push: "false" });
}

async function choose(link, push) {
  mark(link);
  if (push) remember("span", spanOf(link), true);
  await show(spanOf(link));
  // Beside the tree the pane starts over at its top; below it (a phone) it comes into view.
  if (push && pane.getBoundingClientRect().top < 0) pane.scrollIntoView();
  if (push && matchMedia("(width < 60rem)").matches) pane.scrollIntoView();
}

/** Folds or unfolds a row; a row below that was folded itself stays so. */
function fold(button, open) {
  button.setAttribute("aria-expanded", String(open));
  rows.fold();
}

/** Chooses the next (1) or previous (-1) row of a class, from the chosen one on and around the end. */
function jump(kind, step) {
  const count = rows.items.length;
  const chosen = rows.items.findIndex((item) => item.lastElementChild.hasAttribute("aria-current"));
  for (let n = 1; n <= count; n++) {
    const item = rows.items[(chosen + step * n + 2 * count) % count];
    if (!item.classList.contains(kind)) continue;
    rows.reveal(item);
    item.lastElementChild.focus({ preventScroll: true });
    choose(item.lastElementChild, true);
    return;
  }
}

history.replaceState({ ...history.state, htmx: true }, "");

document.addEventListener("click", (event) => {
  const jumper = event.target.closest("[data-jump]");
  if (jumper) jump(jumper.dataset.jump, Number(jumper.dataset.step));
  const button = event.target.closest("#tree .fold");
  if (button) fold(button, button.getAttribute("aria-expanded") === "false");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const way = event.target.closest("#pane [data-text]");
  if (way && plain) {
    event.preventDefault();
    remember("text", way.dataset.text);
    show(spanOf(way));
  }
  const link = event.target.closest("#tree a");
  if (!link || !plain) return;
  event.preventDefault();
  choose(link, true);
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-depth]")) return;
  rows.unfold(event.target.value === "" ? Infinity : Number(event.target.value));
  remember("depth", event.target.value);
});

const keys = {
  "]": () => jump("failed", 1),
  "[": () => jump("failed", -1),
  n: () => jump("hit", 1),
  N: () => jump("hit", -1),
  ArrowLeft: () => step(false),
  ArrowRight: () => step(true),
};

/** Folds or unfolds the row that has the focus. */
function step(open) {
  const button = document.activeElement.closest("#tree li")?.querySelector(".fold");
  if (!button) return false;
  fold(button, open);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!tree || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, dialog") || document.querySelector("dialog[open]")) return;
  if (!Object.hasOwn(keys, event.key) || keys[event.key]() === false) return;
  event.preventDefault();
});

// Going back within a trace changes the pane; the tree stays as it is.
document.addEventListener("htmx:before:history:restore", (event) => {
  if (!tree) return;
  const id = new URLSearchParams(location.search).get("span");
  const links = rows.items.map((item) => item.lastElementChild);
  const link = id === null ? links[0] : links.find((other) => spanOf(other) === id);
  if (!link) return;
  event.preventDefault();
  choose(link, false);
});

if (tree) {
  const chosen = rows.items.find((item) => item.lastElementChild.hasAttribute("aria-current"));
  if (chosen) rows.reveal(chosen, "nearest");
  if (document.querySelector(".as-timeline")) timeline(tree, remember);
}
