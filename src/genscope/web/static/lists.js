// Lists: what is loaded after the page or by scrolling, facets, and the order of columns.

const retries = [1, 2, 5, 10, 30];
const wide = matchMedia("(width >= 75rem)");

// ---- [data-load] is exchanged for what is found at its URL as soon as it comes near the part of the page that is seen. What
// fails is tried again for as long as the element is in the page: a list must not end because a server was busy for a moment.

const loading = new WeakSet();
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) load(target);
  },
  { rootMargin: "400px" },
);

/** Waits for `seconds`, and for the tab to be looked at: a hidden one asks for nothing. */
async function wait(seconds) {
  await new Promise((done) => setTimeout(done, seconds * 1e3));
  while (document.hidden) {
    await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}

async function load(element) {
  if (loading.has(element)) return;
  loading.add(element);
  seen.unobserve(element);
  if (document.hidden) await wait(0);
  for (let attempt = 0; element.isConnected; attempt++) {
    const response = await fetch(element.dataset.load, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (response?.status === 401) return location.reload();
    const text = response && (await response.text().catch(() => null));
    if (!element.isConnected) return;
    if (response?.ok && text !== null) return show(element, text);
    // What is asked wrongly, or is too much, will not become right.
    if (response && response.status < 500 && response.status !== 429) return giveUp(element);
    element.dataset.failed = "";
    await wait(retries[Math.min(attempt, retries.length - 1)]);
  }
}

function giveUp(element) {
  element.removeAttribute("data-load");
  if (element.matches("tr")) return;
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = "This could not be worked out. Narrow the time or the filter.";
  element.replaceChildren(hint);
}

function show(element, text) {
  const template = document.createElement("template");
  template.innerHTML = text;
  const nodes = [...template.content.childNodes];
  if (element.matches("tr")) {
    element.replaceWith(...nodes);
  } else {
    element.removeAttribute("data-load");
    element.replaceChildren(...nodes);
  }
  for (const node of nodes) if (node.nodeType === Node.ELEMENT_NODE) htmx.process(node);
}

// ---- facets: open where there is room for them, and each as it was left

const closed = new Set(JSON.parse(sessionStorage.getItem("facets") ?? "[]"));

function arrange() {
  for (const facets of document.querySelectorAll("details.facets:not([data-arranged])")) {
    facets.dataset.arranged = "";
    facets.open = wide.matches && !closed.has("");
  }
  for (const facet of document.querySelectorAll("details[data-facet]:not([data-arranged])")) {
    facet.dataset.arranged = "";
    facet.open = !closed.has(facet.dataset.facet);
  }
  for (const element of document.querySelectorAll("[data-load]:not(details)")) if (!loading.has(element)) seen.observe(element);
}

document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.matches("details[data-facet], details.facets") || (!target.dataset.facet && !wide.matches)) return;
    closed[target.open ? "delete" : "add"](target.dataset.facet ?? "");
    sessionStorage.setItem("facets", JSON.stringify([...closed]));
  },
  true,
);

// ---- columns: buttons move one up or down, and keep the focus

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-move]");
  const item = button?.closest("li");
  const other = button?.dataset.move === "1" ? item.nextElementSibling : item?.previousElementSibling;
  if (!other) return;
  if (button.dataset.move === "1") other.after(item);
  else other.before(item);
  button.focus();
});

// A form asks for what is chosen by one parameter, so that equal choices have equal URLs.
document.addEventListener(
  "formdata",
  ({ target, formData }) => {
    if (!target.matches(".columns form")) return;
    const names = formData.getAll("columns");
    formData.delete("columns");
    if (names.length > 0) formData.set("columns", names.join(","));
  },
  true,
);

new MutationObserver(arrange).observe(document.querySelector("#main"), { childList: true, subtree: true });
arrange();
