// The filter box of any page: what may come next, as a combobox with a list (ARIA Authoring Practices, "editable combobox with list
// autocomplete"). Arrow keys choose, Tab or Enter accepts, Escape closes. Listeners sit on the document: swapped boxes need no set-up.

const pause = 120;
let asked = 0;
let timer;

const box = (element) => (element?.matches?.("[role=combobox][data-complete]") ? element : null);
const list = (input) => document.getElementById(input.getAttribute("aria-controls"));
const chosen = (input) => list(input).querySelector("[aria-selected=true]");
const open = (input) => input.getAttribute("aria-expanded") === "true";

function close(input) {
  asked++;
  clearTimeout(timer);
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
  list(input).hidden = true;
}

function choose(input, option) {
  chosen(input)?.setAttribute("aria-selected", "false");
  if (!option) return input.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option.id);
}

function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

function show(input, suggestions) {
  const options = suggestions.map((suggestion, index) => {
    const option = document.createElement("li");
    option.id = `${input.id}-option-${index}`;
    option.role = "option";
    option.ariaSelected = "false";
    Object.assign(option.dataset, { text: suggestion.text, start: suggestion.start, end: suggestion.end });
    const text = made("code", suggestion.text.trim());
    text.dir = "auto";
    option.append(text, made("small", suggestion.count === null ? suggestion.description : suggestion.count.toLocaleString("en-US")));
    return option;
  });
  list(input).replaceChildren(...options);
  list(input).hidden = options.length === 0;
  input.setAttribute("aria-expanded", String(options.length > 0));
  input.removeAttribute("aria-activedescendant");
}

async function suggest(input) {
  const turn = ++asked;
  const at = input.selectionStart;
  const url = new URL(input.dataset.complete, location.href);
  url.searchParams.set("text", input.value);
  // The server counts characters, a browser UTF-16 units.
  url.searchParams.set("position", [...input.value.slice(0, at)].length);
  const response = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!response?.ok) return;
  const { data } = await response.json();
  if (turn !== asked || document.activeElement !== input) return;
  const typed = [...input.value];
  // What is there already needs no completion.
  show(input, data.filter(({ text, start, end }) => typed.slice(start, end).join("") !== text));
}

function later(input) {
  clearTimeout(timer);
  timer = setTimeout(suggest, pause, input);
}

function accept(input, option) {
  const { text, start, end } = option.dataset;
  const typed = [...input.value];
  const before = typed.slice(0, start).join("") + text;
  const whole = /[:<>=]$/.test(text) || text.endsWith(" ") ? before : `${before} `;
  input.value = whole + typed.slice(end).join("").replace(/^ /, "");
  input.setSelectionRange(whole.length, whole.length);
  close(input);
  suggest(input);
}

document.addEventListener("input", ({ target }) => box(target) && later(target));
document.addEventListener("focusin", ({ target }) => box(target) && target.value === "" && later(target));
document.addEventListener("focusout", ({ target }) => box(target) && close(target));
document.addEventListener("submit", ({ target }) => {
  const input = target.querySelector("[role=combobox][data-complete]");
  if (input) close(input);
});
// A pressed button of the mouse would take the focus away before the click is one.
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.(".completion [role=option]");
  if (!option) return;
  event.preventDefault();
  accept(document.querySelector(`[aria-controls="${option.parentElement.id}"]`), option);
});

document.addEventListener(
  "keydown",
  (event) => {
    const input = box(event.target);
    if (!input || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const options = [...list(input).children];
    const now = options.indexOf(chosen(input));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open(input)) return void suggest(input);
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(input, options[now < 0 && step < 0 ? options.length - 1 : (now + step + options.length) % options.length]);
    } else if (open(input) && event.key === "Escape") {
      // The first Escape closes the list, the next one leaves the box.
      event.preventDefault();
      event.stopPropagation();
      close(input);
    } else if (open(input) && ((event.key === "Enter" && now >= 0) || (event.key === "Tab" && !event.shiftKey))) {
      event.preventDefault();
      accept(input, options[Math.max(now, 0)]);
    }
  },
  true,
);
