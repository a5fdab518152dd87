// Tables in a box of their own: the head stays, columns sort by a click on their head, long ones are paged.

import { el } from "rnb/dom.js";

const PAGE = 25;

export function enhance(node) {
  for (const table of node.querySelectorAll("table")) {
    const box = el("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "table" });
    table.replaceWith(box);
    box.append(table);
    const body = table.tBodies[0];
    if (!body || !table.tHead) continue;
    numbers(table, body);
    const whole = ![...body.rows].some((row) => [...row.cells].every((cell) => /^(\.\.\.|…)$/.test(cell.textContent.trim())));
    const pager = body.rows.length > PAGE + 5 ? new Pager(box, body) : null;
    if (whole) sortable(table, body, pager);
  }
  return node;
}

const NUMBER = /^-?[\d.,_]+(e[+-]?\d+)?%?$|^-?inf$/i;
const NOTHING = /^(nan|none|<na>|nat|null|\.\.\.|…|)$/i;

// Columns of words are set flush left, with their heads.
function numbers(table, body) {
  const width = Math.max(...[...body.rows].map((row) => row.cells.length));
  for (let column = 0; column < width; column++) {
    const texts = [...body.rows].map((row) => row.cells[column]?.textContent.trim() ?? "");
    if (texts.every((text) => NUMBER.test(text) || NOTHING.test(text)) && !texts.every((text) => NOTHING.test(text))) continue;
    for (const row of [...table.tHead.rows, ...body.rows]) row.cells[column]?.classList.add("word");
  }
}

function sortable(table, body, pager) {
  const head = table.tHead.rows[table.tHead.rows.length - 1];
  const original = [...body.rows];
  if (original.some((row) => row.cells.length !== head.cells.length)) return; // spans: leave them alone
  [...head.cells].forEach((cell, column) => {
    const button = el("button", { type: "button", class: "sort", title: "Sort" });
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const now = cell.getAttribute("aria-sort");
      const next = now === "ascending" ? "descending" : now === "descending" ? null : "ascending";
      for (const other of head.cells) other.removeAttribute("aria-sort");
      if (next) cell.setAttribute("aria-sort", next);
      const rows = next ? sorted(original, column, next === "descending" ? -1 : 1) : original;
      body.append(...rows);
      pager?.show(0);
    });
  });
}

function sorted(rows, column, sign) {
  const keyed = rows.map((row) => {
    const text = row.cells[column].textContent.trim();
    const number = Number(text.replace(/[,_%]/g, ""));
    return { row, text, number: text === "" || /^(nan|<na>|none|nat)$/i.test(text) ? null : number };
  });
  const numeric = keyed.every(({ number }) => number === null || !Number.isNaN(number));
  const compare = numeric ? (a, b) => a.number - b.number : (a, b) => a.text.localeCompare(b.text, undefined, { numeric: true });
  const missing = ({ number }) => number === null;
  return keyed
    .sort((a, b) => (missing(a) || missing(b) ? missing(a) - missing(b) : sign * compare(a, b)))
    .map(({ row }) => row);
}

class Pager {
  constructor(box, body) {
    this.body = body;
    this.label = el("span", { "aria-live": "polite" });
    this.back = el("button", { type: "button", text: "‹", "aria-label": "previous rows", onclick: () => this.show(this.first - PAGE) });
    this.next = el("button", { type: "button", text: "›", "aria-label": "next rows", onclick: () => this.show(this.first + PAGE) });
    box.after(el("p", { class: "pager" }, this.back, this.label, this.next));
    this.show(0);
  }

  show(first) {
    const rows = [...this.body.rows];
    this.first = Math.max(0, Math.min(first, rows.length - 1));
    rows.forEach((row, index) => (row.hidden = index < this.first || index >= this.first + PAGE));
    this.back.disabled = this.first === 0;
    this.next.disabled = this.first + PAGE >= rows.length;
    this.label.textContent = ` ${this.first + 1}–${Math.min(rows.length, this.first + PAGE)} of ${rows.length} rows `;
  }
}
