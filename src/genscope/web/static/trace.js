// A trace: choosing a span loads its pane alone, and the tree folds.

const tree = () => document.querySelector("#tree");
const depth = (item) => Number(item.dataset.d);

function mark(link) {
  for (const other of tree().querySelectorAll("a[aria-current]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
}

async function choose(link, push) {
  mark(link);
  const id = new URL(link.href).searchParams.get("span");
  await htmx.ajax("GET", `${tree().dataset.base}/spans/${encodeURIComponent(id)}`, {
    target: "#pane",
    swap: "innerHTML",
    push: push ? `${tree().dataset.base}?span=${encodeURIComponent(id)}` : "false",
  });
  const pane = document.querySelector("#pane");
  // Beside the tree the pane starts over at its top; below it (a phone) it comes into view.
  if (push && pane.getBoundingClientRect().top < 0) pane.scrollIntoView();
  if (push && matchMedia("(width < 60rem)").matches) pane.scrollIntoView();
}

/** Hides or shows what is below an item; an item that was folded itself stays so. */
function fold(button, open) {
  const item = button.closest("li");
  button.setAttribute("aria-expanded", String(open));
  let hiddenBelow = Infinity;
  for (let next = item.nextElementSibling; next && depth(next) > depth(item); next = next.nextElementSibling) {
    next.hidden = !open || depth(next) > hiddenBelow;
    if (depth(next) <= hiddenBelow) {
      const folded = next.querySelector(".fold")?.getAttribute("aria-expanded") === "false";
      hiddenBelow = folded ? depth(next) : Infinity;
    }
  }
}

history.replaceState({ ...history.state, htmx: true }, "");
document.addEventListener("click", (event) => {
  const button = event.target.closest("#tree .fold");
  if (button) fold(button, button.getAttribute("aria-expanded") === "false");
  const link = event.target.closest("#tree a");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  choose(link, true);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const button = document.activeElement.closest("#tree li")?.querySelector(".fold");
  if (!button) return;
  event.preventDefault();
  fold(button, event.key === "ArrowRight");
});
// Going back within a trace changes the pane; the tree stays as it is.
document.addEventListener("htmx:before:history:restore", (event) => {
  const id = new URLSearchParams(location.search).get("span");
  const links = [...tree().querySelectorAll("a")];
  const link = id === null ? links[0] : links.find((other) => new URL(other.href).searchParams.get("span") === id);
  if (!link) return;
  event.preventDefault();
  choose(link, false);
});
tree().querySelector("a[aria-current]")?.scrollIntoView({ block: "nearest" });
