// One cell in the page: its margin, its text, its code and its outputs. A cell's elements are made once and then only
// changed where something changed, so that focus, selection and the reader's place survive.

import { cleaned, editorLink, el, seconds, setText, spoken } from "rnb/dom.js";
import { OutputList, sameAll } from "rnb/outputs.js";
import { paintCode } from "rnb/code.js";
import { differing } from "rnb/lines.js";

const SAID = {
  "": "not run yet",
  queued: "waiting",
  running: "running",
  done: "done",
  failed: "failed",
  killed: "killed",
  cancelled: "cancelled",
  cached: "restored",
  blocked: "blocked",
};
const MARKS = { failed: "✕", killed: "✕", blocked: "⊘", cancelled: "–", queued: "○", cached: "●", done: "●", running: "" };

export class CellView {
  constructor(id, page) {
    this.id = id;
    this.page = page;
    this.cell = null;
    this.started = false; // whether it has been drawn: only later changes flash
    const anchor = `cell-${id}`;
    this.mark = el("span", { class: "mark", role: "img" });
    this.name = el("button", { type: "button", class: "name", title: "Show the code", "aria-expanded": "false" });
    this.name.addEventListener("click", () => this.fold());
    this.time = el("span", { class: "time" });
    this.line = el("a", { class: "line" });
    this.doc = el("div", { class: "doc prose" });
    this.code = el("pre", { class: "code", hidden: true, tabindex: "0", "aria-label": `code of ${id}` }, el("code"));
    this.note = el("p", { class: "note", hidden: true });
    this.outputs = el("div", { class: "outputs" });
    const margin = el("div", { class: "margin" }, this.mark, this.name, this.time, this.line);
    this.body = el("div", { class: "body" }, this.doc, this.code, this.note, this.outputs);
    this.node = el("section", { class: "cell", id: anchor, tabindex: "-1", "aria-label": `cell ${id}` }, margin, this.body);
    this.node.addEventListener("pointerenter", () => this.page.hover(this.id));
    this.node.addEventListener("pointerleave", () => this.page.hover(null));
    const whole = page.config.base ? `${page.config.base}/output/${encodeURIComponent(id)}` : null;
    this.context = { config: page.config, whole, sourceLine: (line) => this.sourceLine(line) };
    this.list = new OutputList(this.outputs, this.context);
    this.other = null;
  }

  sourceLine(line) {
    return lineOf(this.page.shown, line);
  }

  update(cell) {
    this.cell = cell;
    const status = cell.status;
    const before = this.node.dataset.status;
    if (before !== status) {
      this.node.dataset.status = status;
      this.mark.textContent = MARKS[status] ?? "";
      this.mark.setAttribute("aria-label", SAID[status] ?? status);
    }
    setText(this.name, cell.info.kind === "markdown" ? "text" : cell.info.name === "_" ? "_" : cell.info.id);
    this.node.classList.toggle("markdown", cell.info.kind === "markdown");
    this.tick();
    this.updateLine(cell);
    this.updateSource();
    this.updateNote(cell);
    this.hold(cell, before);
    const changed = this.list.update(cell.outputs);
    this.node.classList.toggle("empty", !cell.outputs.length && !this.doc.firstChild && this.note.hidden);
    if (this.started && changed && status !== "running") this.flash();
    else if (this.started && before === "running" && status !== "running" && this.fresh) this.flash();
    this.fresh = status === "running" && (this.fresh || changed);
    this.started = true;
  }

  // While a cell runs again its place keeps its height, so that nothing moves under the reader.
  hold(cell, before) {
    if (cell.status === "running" && before !== "running" && this.outputs.offsetHeight)
      this.outputs.style.minHeight = `${this.outputs.offsetHeight}px`;
    else if (cell.status !== "running" && this.outputs.style.minHeight) {
      requestAnimationFrame(() => (this.outputs.style.minHeight = ""));
    }
  }

  flash() {
    if (this.page.filling) return;
    this.body.classList.remove("flash");
    void this.body.offsetWidth;
    this.body.classList.add("flash");
    clearTimeout(this.fading); // where nothing moves, it is an outline that would stay
    this.fading = setTimeout(() => this.body.classList.remove("flash"), 1400);
  }

  // The running cell's clock, and how far its query is.
  tick() {
    const { cell } = this;
    if (!cell) return;
    const far = cell.fraction ? ` · ${Math.round(cell.fraction * 100)} %` : "";
    if (cell.status === "running" && cell.started) setText(this.time, seconds(Math.max(0, this.page.now() - cell.started)) + far);
    else setText(this.time, cell.status === "cached" ? "restored" : seconds(cell.seconds));
  }

  updateLine(cell) {
    setText(this.line, `:${cell.info.line}`);
    const link = editorLink(this.page.config, cell.info.line);
    if (link && this.line.getAttribute("href") !== link) {
      this.line.href = link;
      this.line.setAttribute("aria-label", `open line ${cell.info.line} in the editor`);
    }
  }

  updateSource() {
    const source = this.page.shown.sources.get(this.id);
    const doc = source?.doc ?? "";
    if (this.docShown !== doc) {
      this.docShown = doc;
      cleaned(this.doc, doc);
    }
    const code = source?.code ?? "";
    if (this.codeText !== code) {
      this.codeText = code;
      this.codeShown = false;
    }
    if (!this.code.hidden) this.paint();
  }

  paint() {
    if (this.codeShown) return;
    this.codeShown = true;
    paintCode(this.code.firstChild, this.codeText);
  }

  fold(show = this.code.hidden) {
    if (show && !this.codeText) return;
    this.code.hidden = !show;
    this.name.setAttribute("aria-expanded", String(show));
    if (show) this.paint();
    this.node.classList.toggle("open", show);
  }

  updateNote(cell) {
    const words = [];
    if (cell.status === "blocked") words.push(`Blocked: ${cell.reason ?? "a cell above failed"}`);
    else if (cell.status === "killed" || cell.status === "cancelled")
      words.push(`${SAID[cell.status][0].toUpperCase()}${SAID[cell.status].slice(1)}${cell.reason ? `: ${cell.reason}` : ""}`);
    else if (cell.reason) words.push(cell.reason);
    for (const mutation of cell.mutations) words.push(mutation.message);
    if (cell.prompt !== null) words.push(`Waits for input: ${cell.prompt}`);
    const text = words.join("\n");
    if (this.noteShown !== text) this.note.replaceChildren(...spoken((this.noteShown = text)));
    this.note.hidden = !text;
  }

  // Beside what it shows, what it shows in another run: `{cell or null, code, label, earlier, here}`; null ends that. Whether
  // the two differ.
  compare(other) {
    const code = this.page.shown.sources.get(this.id)?.code ?? "";
    const outputs = other && (!other.cell || !this.cell || !sameAll(this.cell.outputs, other.cell.outputs));
    const codes = other && other.code !== code;
    this.compareOutputs(outputs ? other : null);
    this.compareCode(codes ? other : null, code);
    this.node.classList.toggle("differs", Boolean(outputs || codes));
    return Boolean(outputs || codes);
  }

  compareOutputs(other) {
    this.node.classList.toggle("compared", Boolean(other));
    if (!other) {
      this.other?.remove();
      this.other = null;
      return;
    }
    if (!this.other) {
      this.other = el("div", { class: "outputs then" });
      this.body.append(this.other);
      this.otherList = new OutputList(this.other, this.context);
    }
    this.otherList.update(other.cell?.outputs ?? []);
    this.other.dataset.label = other.cell ? `${other.label}${other.cell.outputs.length ? "" : ": nothing"}` : `${other.label}: not there`;
    this.outputs.dataset.label = other.here;
    this.other.classList.toggle("earlier", other.earlier);
  }

  compareCode(other, code) {
    this.difference?.remove();
    this.difference = null;
    if (!other) return;
    const lines = differing(...(other.earlier ? [other.code, code] : [code, other.code]));
    const rows = lines.map(([sign, line]) => el(sign === "+" ? "ins" : sign === "-" ? "del" : "span", { text: `${sign} ${line}\n` }));
    this.difference = el("pre", { class: "code difference", tabindex: "0", "aria-label": `how the code of ${this.id} differs` }, ...rows);
    this.code.after(this.difference);
  }
}

// A line of the file, from the cell that it lies in.
function lineOf(state, line) {
  for (const cell of state.cells.values()) {
    if (cell.info.line <= line && line <= cell.info.end_line)
      return state.sources.get(cell.info.id)?.code.split("\n")[line - cell.info.line];
  }
  return undefined;
}
