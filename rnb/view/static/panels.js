// The side panel: the graph, the values, past runs. One is open at a time; each is made when it is first opened.

import { el, bytes } from "rnb/dom.js";
import { GraphPanel } from "rnb/graph.js";
import { HistoryPanel } from "rnb/history.js";

export class Panels {
  constructor(page) {
    this.page = page;
    this.node = document.getElementById("panel");
    this.name = null;
    this.panel = null;
    this.made = {};
  }

  toggle(name) {
    if (this.name === name) this.close();
    else this.open(name);
  }

  open(name) {
    this.close(false);
    this.name = name;
    const kinds = { graph: GraphPanel, values: ValuesPanel, history: HistoryPanel };
    this.panel = this.made[name] ??= new kinds[name](this.page);
    const close = el("button", { type: "button", class: "close", text: "×", "aria-label": "Close", onclick: () => this.close() });
    this.node.replaceChildren(el("h2", { text: { graph: "Graph", values: "Values", history: "Past runs" }[name] }), close, this.panel.node);
    this.node.hidden = false;
    this.node.dataset.panel = name;
    this.node.setAttribute("aria-label", name);
    document.body.classList.add("with-panel");
    this.mark(true);
    this.panel.update(this.page.shown);
  }

  close(focus = true) {
    if (!this.name) return;
    const button = this.mark(false);
    this.panel.closed?.();
    this.name = this.panel = null;
    this.node.hidden = true;
    document.body.classList.remove("with-panel");
    if (focus) button?.focus({ preventScroll: true });
  }

  mark(open) {
    const button = document.querySelector(`[data-tool="${this.name}"]`);
    button?.setAttribute("aria-expanded", String(open));
    return button;
  }

  update(state) {
    this.panel?.update(state);
  }

  hover(id) {
    this.panel?.hover?.(id);
  }
}

// Every shared name: type, shape, size, and the cell that shares it.
class ValuesPanel {
  constructor(page) {
    this.page = page;
    this.node = el("div", { class: "values" });
    this.shown = "";
  }

  update(state) {
    const rows = [];
    for (const cell of state.cells.values()) {
      const known = new Map(cell.values.map((value) => [value.name, value]));
      for (const name of cell.info.defs) rows.push([name, known.get(name) ?? {}, cell.info.id]);
    }
    const text = JSON.stringify(rows);
    if (text === this.shown) return;
    this.shown = text;
    this.node.replaceChildren(rows.length ? this.table(rows) : el("p", { class: "quiet", text: "No cell shares anything." }));
  }

  table(rows) {
    const body = rows.map(([name, value, id]) => {
      const link = el("a", { href: `#cell-${id}`, text: id });
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.page.jump(id);
      });
      const words = [value.type, value.summary].filter(Boolean).join(" ");
      const shape = words.length > 80 ? words.slice(0, 79) + "…" : words; // a whole number may be long
      return el("tr", {}, el("th", { scope: "row" }, el("code", { text: name })), el("td", { text: shape }), el("td", { class: "number", text: bytes(value.size) }), el("td", {}, link));
    });
    const head = el("tr", {}, ...["Name", "Type", "Size", "Cell"].map((text) => el("th", { scope: "col", text })));
    return el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
  }
}
