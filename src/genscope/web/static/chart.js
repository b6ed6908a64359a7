// Charts: every <figure class="chart" data-chart='JSON'> is drawn by uPlot, whenever and however it comes into the page.
//
// The JSON: `kind` "line", "bars" (over one another) or "stacked"; `x` where each bucket begins, in seconds since 1970 (or in
// the unit that `axis` names), ascending; `series` [{label, color, values}], `color` the name of a CSS variable, a value null
// where nothing is known; `unit` "count", "tokens", "usd", "ms", "percent" (1 = 100 %) or any word that follows a number;
// `step` the width of a bucket (0: x are moments), `end` where the last one ends, `zoom` true if a range leads to its own URL,
// `log` true if x is on a logarithmic scale, where each bucket ends where the next one begins.

const probe = document.createElement("i");
const dark = matchMedia("(prefers-color-scheme: dark)");
const charts = new Map();
const palette = 6;

// Colours are CSS variables, which only a property of an element resolves.
let colours = new Map();
function colour(name) {
  if (!colours.has(name)) {
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    colours.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return colours.get(name);
}

// ---- how values read, as web/format.py writes them

const grouped = (value, places) =>
  value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: places });
const significant = (value, digits) => String(Number(value.toPrecision(digits)));

function count(value) {
  return grouped(value, value >= 100 ? 0 : 2);
}

function short(value) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= size) return significant(value / size, 3) + unit;
  }
  return significant(value, 3);
}

function money(value) {
  if (value < 0) return `-${money(-value)}`;
  if (value === 0) return "$0";
  if (value >= 1) return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  const places = Math.min(Math.max(2 - Math.floor(Math.log10(value)), 2), 12);
  const [head, tail] = value.toFixed(places).split(".");
  return `$${head}.${tail.replace(/0+$/, "").padEnd(2, "0")}`;
}

function duration(milliseconds) {
  if (milliseconds < 0) return `-${duration(-milliseconds)}`;
  if (milliseconds === 0) return "0 ms";
  if (milliseconds < 0.9995) return `${significant(milliseconds * 1e3, 3)} µs`;
  if (milliseconds < 999.5) return `${significant(milliseconds, 3)} ms`;
  const seconds = milliseconds / 1e3;
  if (seconds < 60) return `${seconds.toFixed(seconds >= 10 ? 1 : 2)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

const decimal = [1, 2, 5].map((n) => [n, n]);
const steps = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, i) => decimal.map(([n]) => Number(`${n}e${from + i}`))).flat();
const minutes = [60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 432000].map((s) => s * 1e3);

/** For each unit: how a value reads, how a tick of the axis does, and the distances that ticks may have. */
const units = {
  count: { full: count, tick: short, steps: steps(0, 15) },
  tokens: { full: count, tick: short, steps: steps(0, 15) },
  usd: { full: money, tick: (v) => (v >= 1000 ? `$${short(v)}` : money(v).replace(/\.00$/, "")), steps: steps(-9, 12) },
  ms: {
    full: duration,
    tick: (v) => (v < 1e3 ? `${significant(v, 3)} ms` : v < 6e4 ? `${significant(v / 1e3, 3)} s` : duration(v).replace(/ 00 [sm]$/, "")),
    steps: [...steps(-3, 3), 10e3, 20e3, 30e3, ...minutes],
  },
  percent: { full: (v) => `${significant(v * 100, 3)} %`, tick: (v) => `${significant(v * 100, 3)} %`, steps: steps(-5, 2) },
};
const plain = (word) => {
  const say = (value) => `${Math.abs(value) >= 1000 ? grouped(value, 0) : significant(value, 3)} ${word}`.trim();
  return { full: say, tick: (value) => short(value), steps: steps(-9, 15) };
};
const unit = (name) => units[name] ?? plain(name ?? "");

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const day = (date) => `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
const clock = (date, seconds) => date.toISOString().slice(11, seconds ? 19 : 16);

/** Where a logarithmic axis has ticks: at 1, 2 and 5 of each power of ten, or where that is too much, at the powers alone. */
function decades(from, to, most) {
  const ticks = (digits) =>
    steps(Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))).filter((at) => at >= from && at <= to && digits.includes(Number(at.toExponential()[0])));
  return [[1, 2, 5], [1, 5], [1]].map(ticks).find((found) => found.length <= most) ?? ticks([1]);
}

/** Ticks of a time axis, `step` seconds from each other; all times are UTC. */
function timeTick(at, step) {
  const date = new Date(at * 1e3);
  if (step >= 360 * 86400) return String(date.getUTCFullYear());
  if (step >= 28 * 86400) return `${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  if (step >= 86400 || at % 86400 === 0) return day(date);
  return clock(date, step < 60);
}

/** What a bucket is called. */
function bucket(begin, end) {
  const from = new Date(begin * 1e3);
  const to = new Date(end * 1e3);
  const width = end - begin;
  const year = from.getUTCFullYear() === new Date().getUTCFullYear() ? "" : ` ${from.getUTCFullYear()}`;
  if (width >= 28 * 86400 && from.getUTCDate() === 1) return `${months[from.getUTCMonth()]} ${from.getUTCFullYear()}`;
  if (width === 86400 && begin % 86400 === 0) return `${day(from)}${year}`;
  if (width > 86400) return `${day(from)} – ${day(new Date((end - 1) * 1e3))}${year}`;
  const seconds = width < 60 || begin % 60 !== 0;
  const until = width > 0 ? `–${clock(to, seconds)}` : "";
  return `${day(from)}${year} ${clock(from, seconds)}${until} UTC`;
}

// ---- one chart

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const swatch = (name) => {
  const made = element("i", { className: "swatch", ariaHidden: "true" });
  made.style.background = `var(${name})`;
  return made;
};

class Chart {
  constructor(figure) {
    this.figure = figure;
    const data = JSON.parse(figure.dataset.chart);
    this.kind = data.kind;
    this.begins = data.x;
    this.timed = !data.axis;
    this.unit = unit(data.unit);
    this.zoomable = Boolean(data.zoom) && this.timed;
    this.series = data.series.map((one, i) => ({ ...one, color: one.color ?? `--series-${(i % palette) + 1}`, shown: true }));
    const gaps = this.begins.slice(1).map((x, i) => x - this.begins[i]);
    this.step = data.step ?? (gaps.length > 0 ? Math.min(...gaps) : 0);
    // Months differ in length, so a bucket ends where the next one begins, unless some are left out.
    this.ends = this.begins.map((x, i) => (gaps[i] < 2 * this.step ? x + gaps[i] : x + this.step));
    this.log = Boolean(data.log);
    if (this.log) this.ends = [...this.begins.slice(1), data.end];
    if (data.end !== undefined && this.step > 0) this.ends[this.ends.length - 1] = data.end;
    this.axis = unit(data.axis);
    this.empty = this.begins.length === 0 || !this.series.some((one) => one.values.some((value) => value !== null));
    this.build();
  }

  build() {
    // What a snapshot of the page may have kept.
    for (const old of this.figure.querySelectorAll(".plot, .legend")) old.remove();
    this.legend = element("ul", { className: "legend" });
    this.tip = element("div", { className: "tip", hidden: true, role: "status" });
    this.plot = element("div", { className: "plot" });
    if (this.empty) {
      this.plot.append(element("p", { className: "none", textContent: "Nothing to draw in this period" }));
      this.figure.append(this.plot);
      return;
    }
    this.plot.tabIndex = 0;
    this.plot.setAttribute("role", "group");
    this.plot.setAttribute("aria-roledescription", "chart");
    const keys = "Arrow keys read it bucket by bucket" + (this.zoomable ? ", with Shift they choose a range, Enter zooms in" : "");
    this.plot.setAttribute("aria-label", `${this.figure.querySelector("figcaption")?.textContent.trim() ?? "Chart"}. ${keys}.`);
    this.figure.append(...(this.series.length > 1 ? [this.legend] : []), this.plot);
    this.listed();
    this.u = new uPlot(this.options(), this.data(), this.plot);
    this.plot.append(this.tip);
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.plot.addEventListener("blur", () => this.leave());
    this.resized = new ResizeObserver(() => this.u.setSize(this.size()));
    this.resized.observe(this.plot);
  }

  destroy() {
    this.resized?.disconnect();
    this.u?.destroy();
  }

  size() {
    return { width: Math.max(this.plot.clientWidth, 40), height: Math.max(this.plot.clientHeight, 40) };
  }

  /** The series as uPlot draws them: a stack from its top down, so that what is lower covers what is above. */
  order() {
    return this.kind === "stacked" ? [...this.series.keys()].reverse() : [...this.series.keys()];
  }

  data() {
    const middles = this.begins.map((x, i) => (this.log ? Math.sqrt(x * this.ends[i]) : (x + this.ends[i]) / 2));
    // A bar of no height would paint its edge over the axis.
    const drawn = (value) => (this.kind === "line" ? value : value || null);
    if (this.kind !== "stacked") return [middles, ...this.series.map((one) => one.values.map((value) => (one.shown ? drawn(value) : null)))];
    const sums = this.begins.map(() => 0);
    const stacked = this.series.map((one) => {
      if (!one.shown) return one.values.map(() => null);
      return one.values.map((value, i) => drawn((sums[i] += value ?? 0)));
    });
    return [middles, ...stacked.reverse()];
  }

  options() {
    const bars = this.kind !== "line";
    const ink = (name) => () => colour(name);
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: ink("--muted"), font, ticks: { show: false } };
    const low = this.begins[0];
    const high = this.ends.at(-1);
    // Moments at the very edge would be cut in half.
    const margin = this.step === 0 ? (high - low) * 0.01 || 1 : 0;
    const digits = this.unit;
    const alone = (values, i) => values[i] != null && values[i - 1] == null && values[i + 1] == null;
    return {
      ...this.size(),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
      scales: {
        x: { time: this.timed, range: this.log ? [low, high] : [low - margin, high + margin], ...(this.log && { distr: 3 }) },
        y: {
          range: (_, min, max) => {
            const top = max > 0 ? uPlot.rangeNum(0, max, 0.08, true)[1] : 1;
            return [min < 0 ? uPlot.rangeNum(min, 0, 0.08, true)[0] : 0, top];
          },
        },
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 7,
          space: 64,
          grid: { show: false },
          ...(this.log && { splits: (u) => decades(low, high, u.over.clientWidth / 64), filter: (_, splits) => splits }),
          // A text that the right edge would cut is left out.
          values: (u, splits, _, __, step) =>
            splits.map((at) => (u.valToPos(at, "x") > u.over.clientWidth - 14 ? "" : this.timed ? timeTick(at, step) : this.axis.tick(at))),
        },
        {
          ...axis,
          gap: 6,
          space: 28,
          incrs: digits.steps,
          grid: { stroke: ink("--line"), width: 1 },
          values: (_, splits) => splits.map((value) => digits.tick(value)),
          size: (u, values) => {
            if (!values) return 30;
            u.ctx.font = u.axes[1].font[0];
            return 12 + Math.max(...values.map((text) => u.ctx.measureText(text).width)) / devicePixelRatio;
          },
        },
      ],
      series: [
        {},
        ...this.order().map((i) => {
          const { color } = this.series[i];
          return bars
            ? {
                fill: ink(color),
                // A hair of the background parts what touches.
                stroke: ink("--surface"),
                width: this.kind === "stacked" && this.begins.length <= 120 ? 1 : 0,
                points: { show: false },
                paths: uPlot.paths.bars({ size: [0.9, 160] }),
              }
            : {
                stroke: ink(color),
                width: 1.75,
                points: {
                  show: true,
                  size: 5,
                  fill: ink(color),
                  filter: (u, s) => u.data[s].flatMap((_, at) => (alone(u.data[s], at) ? [at] : [])),
                },
              };
        }),
      ],
      cursor: {
        y: false,
        drag: { x: this.zoomable, y: false, setScale: false, dist: 6 },
        points: { show: !bars, size: 6, fill: (u, s) => colour(this.series[s - 1].color), stroke: ink("--surface"), width: 1 },
        ...(this.timed && {
          sync: { key: "time", setSeries: false, scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        }),
      },
      hooks: {
        setCursor: [() => this.point()],
        setSelect: [(u) => this.select(u)],
      },
    };
  }

  // ---- what the pointer and the keys say

  point() {
    const at = this.u?.cursor.idx;
    const here = this.u?.over.matches(":hover") || this.plot === document.activeElement;
    this.tip.hidden = at == null || !here;
    if (this.tip.hidden) return;
    const when = this.timed ? bucket(this.begins[at], this.ends[at]) : this.between(at);
    const rows = this.series.filter((one) => one.shown);
    const known = rows.filter((one) => this.kind !== "stacked" || one.values[at]);
    const lines = (known.length > 0 ? known : rows.slice(0, 1)).map((one) => [one, one.values[at]]);
    if (this.kind === "stacked") lines.reverse();
    const body = lines.map(([one, value]) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, swatch(one.color), element("span", { dir: "auto", textContent: one.label })),
        element("td", { textContent: value == null ? "—" : this.unit.full(value) }),
      ),
    );
    if (this.kind === "stacked" && lines.length > 1) {
      const sum = lines.reduce((total, [, value]) => total + (value ?? 0), 0);
      body.push(element("tr", { className: "sum" }, element("th", { scope: "row", textContent: "Total" }), element("td", { textContent: this.unit.full(sum) })));
    }
    this.tip.replaceChildren(element("p", { textContent: when }), element("table", {}, element("tbody", {}, ...body)));
    this.place();
  }

  between(at) {
    const one = this.axis.full(this.begins[at]);
    return this.step === 0 ? one : `${one} – ${this.axis.full(this.ends[at])}`;
  }

  /** Puts the tip beside the cursor, on the side where there is room. */
  place() {
    const { over, cursor } = this.u;
    const left = over.offsetLeft + cursor.left;
    const width = this.tip.offsetWidth;
    const right = left + 14 + width <= this.plot.clientWidth;
    this.tip.style.left = `${right ? left + 14 : Math.max(left - 14 - width, 0)}px`;
    this.tip.style.top = "4px";
  }

  leave() {
    this.anchor = null;
    this.tip.hidden = true;
    this.u.setCursor({ left: -10, top: -10 }, false);
    this.u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  }

  key(event) {
    const { u } = this;
    const last = this.begins.length - 1;
    const now = u.cursor.idx;
    const moves = {
      ArrowLeft: now == null ? last : Math.max(now - 1, 0),
      ArrowRight: now == null ? 0 : Math.min(now + 1, last),
      Home: 0,
      End: last,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !this.tip.hidden) {
      this.leave();
    } else if (event.key === "Enter" && this.zoomable && now != null) {
      this.zoom(Math.min(now, this.anchor ?? now), Math.max(now, this.anchor ?? now));
    } else if (Object.hasOwn(moves, event.key)) {
      this.anchor = event.shiftKey && this.zoomable ? (this.anchor ?? now) : null;
      const to = moves[event.key];
      u.setCursor({ left: u.valToPos(u.data[0][to], "x"), top: 10 }, true);
      this.mark(to);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Shows the range that the keys have chosen. */
  mark(to) {
    const from = this.anchor ?? to;
    const left = this.u.valToPos(this.begins[Math.min(from, to)], "x");
    const right = this.u.valToPos(this.ends[Math.max(from, to)], "x");
    const width = this.anchor == null ? 0 : right - left;
    this.u.setSelect({ left, width, top: 0, height: this.u.over.clientHeight }, false);
  }

  select(u) {
    if (!this.zoomable || u.select.width === 0) return;
    const from = u.posToVal(u.select.left, "x");
    const to = u.posToVal(u.select.left + u.select.width, "x");
    const first = this.ends.findIndex((end) => end > from);
    const last = this.begins.findLastIndex((begin) => begin < to);
    if (first >= 0 && last >= first) this.zoom(first, last);
  }

  /** Leads to this page in the range of these buckets. */
  zoom(first, last) {
    const url = new URL(location.href);
    const iso = (seconds) => new Date(seconds * 1e3).toISOString().replace(".000Z", "Z");
    url.searchParams.set("from", iso(this.begins[first]));
    url.searchParams.set("to", iso(this.ends[last]));
    url.searchParams.delete("cursor");
    location.assign(url);
  }

  // ---- the legend, which hides and shows series

  listed() {
    for (const one of this.series) {
      const button = element("button", { type: "button", className: "plain", ariaPressed: "true", title: one.label }, swatch(one.color), element("span", { dir: "auto", textContent: one.label }));
      button.addEventListener("click", () => {
        one.shown = !one.shown;
        button.ariaPressed = String(one.shown);
        this.u.setData(this.data());
      });
      this.legend.append(element("li", {}, button));
    }
  }
}

// ---- charts come and go with what htmx, a script or the browser's history puts into the page

function mount() {
  for (const [figure, chart] of charts) {
    if (figure.isConnected) continue;
    chart.destroy();
    charts.delete(figure);
  }
  for (const figure of document.querySelectorAll("figure.chart[data-chart]")) {
    if (!charts.has(figure)) charts.set(figure, new Chart(figure));
  }
}

dark.addEventListener("change", () => {
  colours = new Map();
  for (const chart of charts.values()) chart.u?.redraw(false);
});
new MutationObserver(mount).observe(document.body, { childList: true, subtree: true });
mount();
