// The axis of time of a trace: its bars stand in percent, so that a zoom is two numbers for all of them.

const MOST = 5000;
const TICKS = 6;
const SVG = "http://www.w3.org/2000/svg";

/** Writes a length of time as the server does. */
function duration(nanoseconds) {
  if (nanoseconds === 0) return "0";
  const short = (value) => String(Number(value.toPrecision(6)));
  if (nanoseconds < 1e3) return `${short(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${short(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 1e9) return `${short(nanoseconds / 1e6)} ms`;
  if (nanoseconds < 60e9) return `${short(nanoseconds / 1e9)} s`;
  const seconds = Math.round(nanoseconds / 1e9);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
}

/** Lets the axis be zoomed by its buttons, keys, wheel and by dragging; `remember` keeps it in the URL. */
export function timeline(tree, remember) {
  const axis = document.querySelector(".axis");
  const drawing = axis.querySelector("svg");
  const whole = Math.max(Number(axis.dataset.whole), 1);
  // The part that is shown: where it begins, and how much of the whole it is.
  let from = 0;
  let share = 1;

  function draw() {
    tree.style.setProperty("--zoom", 1 / share);
    tree.style.setProperty("--from", from);
    const rough = (whole * share) / TICKS;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((many) => many * power).find((one) => one >= rough);
    tree.style.setProperty("--tick", step / whole);
    const first = Math.ceil((from * whole) / step) * step;
    tree.style.setProperty("--offset", (-from * axis.clientWidth) / share);
    drawing.replaceChildren();
    for (let moment = first; moment <= (from + share) * whole + 1; moment += step) {
      const place = (moment / whole - from) / share;
      const line = document.createElementNS(SVG, "line");
      for (const [name, value] of [["x1", place], ["x2", place], ["y1", 0], ["y2", 1]]) line.setAttribute(name, `${value * 100}%`);
      drawing.append(line);
      if (place > 0.92) continue;
      const text = document.createElementNS(SVG, "text");
      for (const [name, value] of [["x", `${place * 100}%`], ["dx", 3], ["y", "0.9em"]]) text.setAttribute(name, value);
      text.textContent = duration(moment);
      drawing.append(text);
    }
  }

  function show(begin, part) {
    share = Math.min(Math.max(part, 1 / MOST), 1);
    from = Math.min(Math.max(begin, 0), 1 - share);
    draw();
    remember("zoom", share === 1 ? "" : `${+(100 * from).toFixed(4)}-${+(100 * (from + share)).toFixed(4)}`);
  }

  /** Zooms by a factor, so that what is at `place` of the axis stays there; 0 shows the whole. */
  function zoom(factor, place = 0.5) {
    const part = factor === 0 ? 1 : Math.min(share / factor, 1);
    show(from + place * (share - part), part);
  }

  const place = (event) => {
    const box = axis.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) zoom(Number(button.dataset.zoom));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    const factor = { "+": 2, "=": 2, "-": 0.5, 0: 0 }[event.key];
    if (factor !== undefined) zoom(factor);
  });
  tree.closest(".tree").addEventListener(
    "wheel",
    (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      if (!event.ctrlKey && !(sideways && share < 1) && !event.target.closest(".axis")) return;
      event.preventDefault();
      if (sideways) show(from + ((event.deltaX || event.deltaY) / axis.clientWidth) * share, share);
      else zoom(event.deltaY < 0 ? 1.25 : 0.8, place(event));
    },
    { passive: false },
  );

  axis.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const begin = place(event);
    const band = document.createElementNS(SVG, "rect");
    band.setAttribute("height", "100%");
    drawing.append(band);
    axis.setPointerCapture(event.pointerId);
    const move = (moved) => {
      band.setAttribute("x", `${100 * Math.min(begin, place(moved))}%`);
      band.setAttribute("width", `${100 * Math.abs(place(moved) - begin)}%`);
    };
    axis.addEventListener("pointermove", move);
    axis.addEventListener(
      "pointerup",
      (ended) => {
        axis.removeEventListener("pointermove", move);
        const [left, right] = [begin, place(ended)].sort((one, other) => one - other);
        if (right - left > 0.005) show(from + left * share, (right - left) * share);
        else band.remove();
      },
      { once: true },
    );
  });
  axis.addEventListener("dblclick", () => zoom(0));
  addEventListener("resize", draw);

  const told = /^([\d.]+)-([\d.]+)$/.exec(new URLSearchParams(location.search).get("zoom") ?? "");
  if (told) show(Number(told[1]) / 100, (Number(told[2]) - Number(told[1])) / 100);
  else draw();
}
