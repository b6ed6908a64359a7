// The rows of a tree, of which only those in sight are in the document: a trace may have ten thousand.

/** Rows beyond which not all are in the document, and rows that are there above and below those in sight. */
const MANY = 500;
const AROUND = 40;

export const depth = (item) => Number(item.dataset.d);
const button = (item) => (item.firstElementChild.matches(".fold") ? item.firstElementChild : null);

export class Rows {
  /** Takes the rows of a list, and those of a template that go on where it ends. */
  constructor(list, rest) {
    this.list = list;
    this.box = list.closest(".tree");
    this.items = [...list.children, ...(rest?.content.children ?? [])];
    this.open = this.items.filter((item) => !item.hidden);
    if (this.items.length <= MANY) return;
    this.height = this.open[0].getBoundingClientRect().height;
    this.windowed = true;
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => this.draw());
    this.draw();
  }

  /** Puts the rows in sight into the list. A row that stays is not moved, so that it keeps the focus. */
  draw() {
    if (!this.windowed) return;
    const above = this.box.scrollTop - this.list.offsetTop;
    const first = Math.max(Math.floor(above / this.height) - AROUND, 0);
    const last = Math.ceil((above + this.box.clientHeight) / this.height) + AROUND;
    const shown = this.open.slice(first, last);
    const wanted = new Set(shown);
    for (const item of [...this.list.children]) if (!wanted.has(item)) item.remove();
    let next = this.list.firstElementChild;
    for (const item of shown) {
      if (item === next) next = next.nextElementSibling;
      else this.list.insertBefore(item, next);
    }
    this.list.style.paddingTop = `${first * this.height + 4}px`;
    this.list.style.paddingBottom = `${Math.max(this.open.length - last, 0) * this.height + 32}px`;
  }

  /** Hides what is below folded rows, and shows all else. */
  fold() {
    let hidden = Infinity;
    for (const item of this.items) {
      const level = depth(item);
      if (level <= hidden) hidden = Infinity;
      item.hidden = level > hidden;
      if (hidden === Infinity && button(item)?.getAttribute("aria-expanded") === "false") hidden = level;
    }
    this.open = this.items.filter((item) => !item.hidden);
    this.draw();
  }

  /** Unfolds all rows to a depth, `Infinity` for all of them. */
  unfold(deepest) {
    for (const item of this.items) button(item)?.setAttribute("aria-expanded", String(depth(item) < deepest));
    this.fold();
  }

  /** Scrolls to a row, and unfolds what is above it. */
  reveal(item, block = "center") {
    let level = depth(item);
    for (let index = this.items.indexOf(item) - 1; index >= 0 && level > 0; index--) {
      if (depth(this.items[index]) >= level) continue;
      level = depth(this.items[index]);
      button(this.items[index])?.setAttribute("aria-expanded", "true");
    }
    if (item.hidden) this.fold();
    if (this.windowed && !item.isConnected) {
      this.box.scrollTop = this.list.offsetTop + this.open.indexOf(item) * this.height - this.box.clientHeight / 2;
      this.draw();
    }
    item.scrollIntoView({ block });
  }
}
