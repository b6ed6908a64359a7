// The SQL console: Ctrl+Enter runs, Ctrl+Space or typing completes names of tables, columns and functions, a click on a name writes it.

const query = document.getElementById("query");
const names = document.getElementById("names");
const form = document.getElementById("ask");
const keywords = (
  "SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT JOIN LEFT ON USING WITH AS AND OR NOT IN IS NULL LIKE BETWEEN CASE WHEN THEN ELSE END " +
  "DISTINCT UNION ALL DESC ASC INTERVAL DAY HOUR MINUTE OVER PARTITION"
).split(" ");
const functions = (
  "count countIf sum sumIf avg min max any uniq uniqExact quantile quantiles quantileIf argMax argMin topK groupArray groupUniqArray " +
  "toDate toStartOfHour toStartOfDay toStartOfInterval toStartOfWeek dateDiff now toString toFloat64 round if multiIf ifNull nullIf " +
  "coalesce lower position length substring has arrayJoin arrayMap mapKeys JSONExtractString JSONExtractFloat"
).split(" ");
const known = new Map();
for (const code of document.querySelectorAll("[data-name]")) known.set(code.textContent, code.dataset.type ?? code.dataset.name);
for (const name of functions) if (!known.has(name)) known.set(`${name}(`, "function");
for (const name of keywords) if (!known.has(name)) known.set(name, "");

const limit = 12;
const opened = () => !names.hidden;
const chosen = () => names.querySelector("[aria-selected=true]");

function word() {
  const before = query.value.slice(0, query.selectionStart);
  return /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
}

function inText() {
  const before = query.value.slice(0, query.selectionStart).replace(/--.*\n/g, "").replace(/\\./g, "");
  return before.split("'").length % 2 === 0;
}

function close() {
  names.hidden = true;
  query.removeAttribute("aria-activedescendant");
}

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  query.setAttribute("aria-activedescendant", option.id);
}

// Where the text before the cursor ends, found with a copy of the editor that is laid out like it.
function place() {
  const style = getComputedStyle(query);
  const copy = document.createElement("div");
  for (const name of ["font", "lineHeight", "padding", "border", "tabSize", "width", "boxSizing"]) copy.style[name] = style[name];
  copy.style.position = "absolute";
  copy.style.visibility = "hidden";
  copy.style.whiteSpace = "pre-wrap";
  copy.style.overflowWrap = "break-word";
  copy.textContent = query.value.slice(0, query.selectionStart - word().length);
  const mark = document.createElement("span");
  mark.textContent = "x";
  copy.append(mark);
  query.parentElement.append(copy);
  const [x, y, height] = [mark.offsetLeft, mark.offsetTop, mark.offsetHeight];
  copy.remove();
  names.style.top = `${Math.min(y + height - query.scrollTop, query.offsetHeight) + 2}px`;
  names.style.left = `${Math.max(0, Math.min(x, query.offsetWidth - names.offsetWidth))}px`;
}

function suggest(asked) {
  const begun = word();
  const wanted = begun.toLowerCase();
  const found = [...known].filter(([name]) => name.toLowerCase().startsWith(wanted) && name !== begun).slice(0, asked ? 100 : limit);
  if (found.length === 0 || inText() || (!asked && begun.length < 2)) return close();
  names.replaceChildren(
    ...found.map(([name, kind], index) => {
      const option = document.createElement("li");
      option.id = `name-${index}`;
      option.role = "option";
      option.ariaSelected = "false";
      option.dataset.text = name;
      const code = document.createElement("code");
      code.textContent = name;
      const what = document.createElement("small");
      what.textContent = kind;
      option.append(code, what);
      return option;
    }),
  );
  names.hidden = false;
  place();
  choose(names.firstElementChild);
}

function write(text, replaced) {
  const end = query.selectionStart;
  query.setRangeText(text, end - replaced, query.selectionEnd, "end");
  close();
  query.focus();
}

function take(option) {
  const begun = word();
  // A keyword follows the case of what was begun.
  const small = begun !== "" && begun === begun.toLowerCase() && keywords.includes(option.dataset.text);
  write(small ? option.dataset.text.toLowerCase() : option.dataset.text, begun.length);
}

query.addEventListener("input", () => suggest(false));
query.addEventListener("blur", close);
query.addEventListener("click", close);
query.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === " ") {
    event.preventDefault();
    suggest(true);
  } else if (opened() && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const next = event.key === "ArrowDown" ? chosen().nextElementSibling : chosen().previousElementSibling;
    choose(next ?? (event.key === "ArrowDown" ? names.firstElementChild : names.lastElementChild));
  } else if (opened() && event.key === "Tab") {
    event.preventDefault();
    take(chosen());
  } else if (opened() && event.key === "Escape") {
    event.preventDefault();
    close();
  }
});
// Wherever the cursor is.
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit();
  }
});
// Before the editor loses the focus.
names.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const option = event.target.closest("[role=option]");
  if (option) take(option);
});
document.querySelector(".help").addEventListener("click", (event) => {
  const name = event.target.closest("dt [data-name]");
  if (name) write(name.textContent, 0);
});
form.addEventListener("submit", () => form.setAttribute("aria-busy", "true"));
