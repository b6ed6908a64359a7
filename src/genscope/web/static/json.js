// JSON that folds: what is folded is not built, so that megabytes open at once.

const SHOWN = 200;
const LONGEST = 2000;

/** Returns text in which control characters and changes of direction are seen and do nothing, as the server writes it. */
function inert(text) {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (one) => String.fromCharCode(0x2400 + one.charCodeAt(0)))
    .replace(/\u007f/g, "\u2421")
    .replace(/[\u0080-\u0084\u0086-\u009f]/g, "\ufffd")
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, (one) => `[U+${one.charCodeAt(0).toString(16).toUpperCase()}]`);
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function copier(value) {
  const button = element("button", "copy", "copy");
  button.type = "button";
  // Before the page's own listener copies it.
  button.addEventListener("click", (event) => {
    event.preventDefault(); // of the summary that it may stand in
    button.value = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  });
  return button;
}

function named(name) {
  return name === undefined ? [] : [element("b", "", inert(String(name)).slice(0, 200)), ": "];
}

function leaf(name, value) {
  const item = element("li");
  const text = typeof value === "string" ? inert(JSON.stringify(value)) : String(value);
  const shown = element("span", typeof value === "string" ? "s" : "v", text.slice(0, LONGEST));
  item.append(...named(name), shown);
  if (text.length > LONGEST) {
    const more = element("button", "more", `… ${(text.length - LONGEST).toLocaleString("en")} more`);
    more.type = "button";
    more.addEventListener("click", () => {
      shown.textContent = text;
      more.remove();
    });
    item.append(more);
  }
  item.append(copier(value));
  return item;
}

function branch(name, value, open) {
  const item = element("li");
  const details = element("details");
  const summary = element("summary");
  const entries = Array.isArray(value) ? value.map((one, index) => [index, one]) : Object.entries(value);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  summary.append(...named(name), element("i", "", `${left} ${entries.length.toLocaleString("en")} ${right}`), copier(value));
  details.append(summary);
  details.addEventListener("toggle", () => details.open && !details.querySelector("ul") && fill(details, entries));
  item.append(details);
  if (open) {
    fill(details, entries);
    details.open = true;
  }
  return item;
}

function fill(details, entries) {
  const list = element("ul");
  let done = 0;
  const more = element("button", "more");
  more.type = "button";
  function add() {
    for (const [name, value] of entries.slice(done, done + SHOWN)) list.append(node(name, value, false));
    done += SHOWN;
    more.textContent = `${(entries.length - done).toLocaleString("en")} more`;
    more.hidden = done >= entries.length;
  }
  more.addEventListener("click", add);
  add();
  details.append(list, more);
}

function node(name, value, open) {
  return value !== null && typeof value === "object" ? branch(name, value, open) : leaf(name, value);
}

/** Replaces the text in an element by its JSON, folded, which is fetched whole. What is no JSON stays as it is. */
export async function foldJson(details) {
  const address = details.dataset.json;
  delete details.dataset.json;
  try {
    const answer = await fetch(address);
    const value = JSON.parse(await answer.text());
    const root = element("ul", "json");
    root.append(node(undefined, value, true));
    details.querySelector("pre")?.replaceWith(root);
    details.querySelector(".notice")?.remove();
  } catch {
    // Python's NaN, or cut: then the text says it.
  }
}
