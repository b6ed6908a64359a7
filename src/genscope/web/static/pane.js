// The pane of a span, wherever it stands: what is folded in it is loaded when it is opened, and its menus close by themselves.

import { foldJson } from "./json.js";

async function load(details) {
  const address = details.dataset.load;
  delete details.dataset.load;
  const answer = await fetch(address);
  const code = document.createElement("code");
  code.textContent = await answer.text();
  const text = document.createElement("pre");
  text.tabIndex = 0;
  text.append(code);
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "copy" });
  details.append(button, text);
}

// A toggle does not bubble.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.open) return;
    if (target.dataset.load) load(target);
    if (target.dataset.json) foldJson(target);
  },
  true,
);

document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});
