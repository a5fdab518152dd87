// A table of any length: the server has it in a file and gives pages. What is near the eye is in the document, the rest
// is empty space of the right height; blocks of rows are fetched when they come near, and kept for a while.

import { el, setText } from "rnb/dom.js";

const BLOCK = 100; // rows of one request
const KEPT = 60; // blocks
const MARGIN = 12; // rows beyond the edges
const HIGHEST = 12_000_000; // pixels that browsers can still lay out
const NUMBER = /int|float|double|decimal/i;

// `fallback` is what the event itself showed of the table: it stands until the first rows come, and where none do.
export class FrameTable {
  constructor(frame, base, fallback) {
    this.base = base;
    this.node = el("div", { class: "frame-table" }, fallback);
    this.fallback = fallback;
    this.sort = null; // [column, down]
    this.take(frame);
    this.watcher = new IntersectionObserver((seen) => seen.some(({ isIntersecting }) => isIntersecting) && this.begin(), { rootMargin: "400px" });
    this.watcher.observe(this.node);
  }

  // The same table again, from another run: what is on screen stays until its rows have come.
  take(frame) {
    this.frame = frame;
    this.blocks = new Map(); // number -> rows, or a promise of them
    if (this.box) this.draw();
  }

  async begin() {
    this.watcher.disconnect();
    if (!this.frame.name || (await this.block(0)) === null) {
      const why = this.frame.reason ? ` (${this.frame.reason})` : "";
      this.node.append(el("p", { class: "pager", text: `Only these rows are kept${why}.` }));
      return;
    }
    this.build();
    this.draw();
  }

  leave() {
    this.watcher.disconnect();
  }

  // ---------------------------------------------------------------- rows

  block(number) {
    let found = this.blocks.get(number);
    if (found !== undefined) {
      this.blocks.delete(number);
    } else {
      const order = this.sort ? `&sort=${this.sort[0]}&down=${this.sort[1] ? 1 : 0}` : "";
      const address = `${this.base}/frame/${encodeURIComponent(this.frame.name)}?from=${number * BLOCK}&count=${BLOCK}${order}`;
      const { blocks } = this;
      found = fetch(address)
        .then((answer) => (answer.ok ? answer.json().then(({ rows }) => rows) : null), () => null)
        .then((rows) => {
          if (rows) blocks.set(number, rows);
          else blocks.delete(number);
          return rows;
        });
    }
    this.blocks.set(number, found);
    if (this.blocks.size > KEPT) this.blocks.delete(this.blocks.keys().next().value);
    return found;
  }

  // Rows from `first` on, as far as they are here; the missing ones are asked for.
  rows(first, last) {
    const found = [];
    for (let number = Math.floor(first / BLOCK); number * BLOCK < last; number++) {
      const rows = this.block(number);
      if (rows instanceof Promise) {
        rows.then(() => this.wake());
        return null;
      }
      found.push(...rows.slice(Math.max(0, first - number * BLOCK), last - number * BLOCK));
    }
    return found;
  }

  // ---------------------------------------------------------------- the document

  build() {
    const { frame } = this;
    this.head = el("tr", {}, ...frame.columns.map((column, place) => this.heading(column, place)));
    this.above = el("tr", { class: "filler", "aria-hidden": "true" }, el("td", { colspan: frame.columns.length }));
    this.below = el("tr", { class: "filler", "aria-hidden": "true" }, el("td", { colspan: frame.columns.length }));
    this.body = el("tbody", {});
    const table = el("table", { "aria-rowcount": String(frame.kept + 1) }, el("thead", {}, this.head), el("tbody", {}, this.above), this.body, el("tbody", {}, this.below));
    this.box = el("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": `table of ${frame.kept.toLocaleString()} rows` }, table);
    this.box.addEventListener("scroll", () => this.wake(), { passive: true });
    this.label = el("span", { role: "status" });
    this.back = el("button", { type: "button", text: "‹", "aria-label": "previous rows", onclick: () => this.turn(-1) });
    this.next = el("button", { type: "button", text: "›", "aria-label": "next rows", onclick: () => this.turn(1) });
    this.node.replaceChildren(this.box, el("p", { class: "pager" }, this.back, this.label, this.next));
  }

  heading(column, place) {
    const button = el("button", { type: "button", class: "sort", text: column.name || (place < this.frame.index ? "index" : ""), title: `${column.type}; sort` });
    const cell = el("th", { scope: "col", class: this.align(place) }, button);
    if (!column.name && place < this.frame.index) button.classList.add("unnamed");
    button.addEventListener("click", () => this.order(place));
    return cell;
  }

  align(place) {
    return NUMBER.test(this.frame.columns[place].type) ? "" : "word";
  }

  order(place) {
    const now = this.sort?.[0] === place ? this.sort : null;
    this.sort = !now ? [place, false] : now[1] ? null : [place, true];
    [...this.head.cells].forEach((cell, column) => {
      if (this.sort?.[0] === column) cell.setAttribute("aria-sort", this.sort[1] ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    this.blocks = new Map();
    this.box.scrollTop = 0;
    this.draw();
  }

  turn(by) {
    const seen = Math.max(1, Math.floor((this.box.clientHeight - this.head.offsetHeight) / this.high));
    const step = Math.min(this.high, HIGHEST / this.frame.kept);
    this.box.scrollBy({ top: by * seen * step, behavior: "instant" });
  }

  wake() {
    if (this.waking) return;
    this.waking = true;
    requestAnimationFrame(() => {
      this.waking = false;
      this.draw();
    });
  }

  // Where the scroll bar stands says which row is on top. A table that is too high for the browser has less room than its
  // rows need: then the bar goes faster than the rows, which are put where the eye is.
  draw() {
    const { box, frame: { kept } } = this;
    this.high ||= 26;
    const room = Math.min(kept * this.high, HIGHEST);
    const seen = (box.clientHeight - this.head.offsetHeight) / this.high;
    const end = Math.max(1, room - seen * this.high);
    const top = Math.min(1, box.scrollTop / end) * Math.max(0, kept - seen);
    const first = Math.max(0, Math.floor(top) - MARGIN);
    const last = Math.min(kept, Math.ceil(top + seen) + MARGIN);
    const rows = this.rows(first, last);
    if (rows === null) return;
    this.body.replaceChildren(...rows.map((row, place) => this.row(row, first + place)));
    const drawn = this.body.rows[0]?.getBoundingClientRect().height;
    if (drawn && !this.measured) {
      this.measured = true;
      this.high = drawn;
      this.draw();
      return;
    }
    const above = Math.max(0, Math.min(box.scrollTop, end) - (top - first) * this.high);
    this.above.cells[0].style.height = `${above}px`;
    this.below.cells[0].style.height = `${Math.max(0, room - above - rows.length * this.high)}px`;
    this.steady();
    this.say(Math.round(top), Math.min(kept, Math.floor(top + seen + 0.01)));
  }

  row(values, place) {
    const row = el("tr", { "aria-rowindex": String(place + 2) });
    values.forEach((value, column) => {
      const cell = el(column < this.frame.index ? "th" : "td", { class: this.align(column) });
      if (value === null) cell.append(el("i", { class: "missing", text: this.missing(column) }));
      else cell.textContent = value;
      row.append(cell);
    });
    return row;
  }

  missing(column) {
    const { type } = this.frame.columns[column];
    if (!this.frame.index) return "null";
    return /^float/.test(type) ? "NaN" : /^(datetime|timedelta)/.test(type) ? "NaT" : /^object/.test(type) ? "None" : "<NA>";
  }

  // Columns only grow: scrolling does not make them dance.
  steady() {
    const wide = [...this.head.cells].map((cell) => cell.getBoundingClientRect().width);
    [...this.head.cells].forEach((cell, column) => (cell.style.minWidth = `${wide[column]}px`));
  }

  say(top, last) {
    const { rows, kept, width, index, columns } = this.frame;
    const more = rows < 0 ? `the first ${kept.toLocaleString()}` : kept < rows ? `the first ${kept.toLocaleString()} of ${rows.toLocaleString()}` : kept.toLocaleString();
    const part = columns.length - index < width ? `${columns.length - index} of ${width.toLocaleString()} columns` : `${width} column${width === 1 ? "" : "s"}`;
    setText(this.label, ` ${(top + 1).toLocaleString()}–${last.toLocaleString()} of ${more} rows · ${part} `);
    this.back.disabled = top === 0;
    this.next.disabled = last >= kept;
  }
}
