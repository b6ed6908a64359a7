// Pricing again tells its progress line by line; the page shows how far it is, and at the end what the same form without script shows.

const LINES = "application/x-ndjson";

/** Yields the JSON values of a response that has one in each line. */
async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

const count = (number) => number.toLocaleString("en-US");

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function cell(label, text) {
  const made = element("td", { className: "num", textContent: text });
  made.dataset.label = label;
  return made;
}

/** What a result says, as templates/prices.html says it. */
function told(result) {
  const changed = result.models.filter((model) => model.changed > 0);
  const have = result.dry_run ? "would have another cost" : "have another cost now";
  const said = element(
    "p",
    {},
    element("b", { textContent: count(result.changed) }),
    ` of ${count(result.spans)} spans ${have}: ${count(result.newly_priced)} calls newly priced, ${count(result.no_longer_priced)} no longer. Total $${result.cost_before} → `,
    element("b", { className: "cost", textContent: `$${result.cost_after}` }),
    ".",
  );
  if (changed.length === 0) return [said];
  const heads = ["Model", "Calls", "Changed", "Before", "After"];
  const rows = changed.map((model) =>
    element(
      "tr",
      {},
      element(
        "th",
        { scope: "row", className: "name" },
        element("b", { dir: "auto", textContent: model.model ?? "no model" }),
        element("small", { textContent: model.provider ?? "no provider" }),
      ),
      cell("Calls", count(model.calls)),
      cell("Changed", count(model.changed)),
      cell("Before", `$${model.cost_before}`),
      cell("After", `$${model.cost_after}`),
    ),
  );
  const head = element("tr", {}, ...heads.map((title, i) => element("th", { scope: "col", className: i ? "num" : "", textContent: title })));
  return [said, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))];
}

async function run(form, button) {
  const shown = form.querySelector("#reprice-run");
  const buttons = [...form.querySelectorAll("button")];
  const data = new URLSearchParams(new FormData(form, button));
  const bar = element("progress", { ariaLabel: "Calls looked at" });
  const far = element("p", { className: "hint", textContent: "Looking at what is stored …" });
  shown.replaceChildren(bar, far);
  for (const one of buttons) one.disabled = true;
  const fail = (message) => shown.replaceChildren(element("p", { className: "notice error", role: "alert", textContent: message }));
  try {
    const response = await fetch(form.action, { method: "POST", body: data, headers: { accept: LINES } });
    if (!response.headers.get("content-type")?.startsWith(LINES)) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      fail(page.querySelector(".notice.error, main p")?.textContent ?? `The server answered ${response.status}.`);
      return;
    }
    for await (const line of lines(response)) {
      if (line.type === "progress") {
        bar.max = Math.max(line.total, 1);
        bar.value = line.done;
        far.textContent = `${count(line.done)} of ${count(line.total)} rows looked at`;
      } else if (line.type === "result") shown.replaceChildren(...told(line));
      else fail(line.message);
    }
  } catch {
    fail("The connection broke off: what was written stays, run it again for the rest.");
  } finally {
    for (const one of buttons) one.disabled = false;
    button.focus({ preventScroll: true });
  }
}

document.querySelector("#reprice-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  run(event.target, event.submitter ?? event.target.querySelector("button"));
});
