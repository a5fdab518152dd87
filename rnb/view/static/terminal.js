// Text as a terminal would show it: colours by ansi_up, and carriage returns, backspaces and cursor movements folded,
// so that progress bars stand where they were. Plain text takes the short way: it is appended as it is.

import { AnsiUp } from "rnb/vendor/ansi_up.js";

const MOVES = /\r(?!\n)|\x08|\x1b\[[0-9;]*[ABCDGJKHf]/;
const REACH = 200; // lines above the last that movements can still reach
const HEAD = 48_000; // characters shown of a flood, at its head …
const TAIL = 96_000; // … and at most at its tail

class Colours extends AnsiUp {
  transform_to_html(fragment) {
    const text = this.escape_txt_for_html(fragment.text);
    const classes = [];
    const data = [];
    for (const [colour, side] of [
      [fragment.fg, "fg"],
      [fragment.bg, "bg"],
    ]) {
      if (!colour) continue;
      if (colour.class_name !== "truecolor") classes.push(`${colour.class_name}-${side}`);
      else data.push(` data-${side}="${colour.rgb.join(",")}"`);
    }
    for (const style of ["bold", "faint", "italic", "underline"]) if (fragment[style]) classes.push(`ansi-${style}`);
    if (!classes.length && !data.length) return text;
    return `<span class="${classes.join(" ")}"${data.join("")}>${text}</span>`;
  }
}

// The lines below the cursor's reach are finished; the others are rows of [character, colour].
export class Screen {
  constructor() {
    this.done = ""; // finished text, colours still in it
    this.rows = [[]];
    this.row = 0;
    this.column = 0;
    this.colour = "";
    this.rest = ""; // an escape sequence that has not come to its end
  }

  write(text) {
    text = this.rest + text;
    this.rest = "";
    const open = text.lastIndexOf("\x1b");
    if (open >= 0 && text.length - open < 32 && !/^\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*(?:\x07|\x1b\\)|[^[\]])/.test(text.slice(open))) {
      this.rest = text.slice(open);
      text = text.slice(0, open);
    }
    if (text.endsWith("\r")) {
      this.rest = "\r" + this.rest;
      text = text.slice(0, -1);
    }
    for (const piece of text.split(/(\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\r\n|[\r\n\x08])/)) {
      if (piece) this.put(piece);
    }
  }

  put(piece) {
    if (piece === "\n" || piece === "\r\n") this.down();
    else if (piece === "\r") this.column = 0;
    else if (piece === "\x08") this.column = Math.max(0, this.column - 1);
    else if (piece[0] === "\x1b") this.escape(piece);
    else this.letters(piece);
  }

  down() {
    this.row += 1;
    this.column = 0;
    if (this.row === this.rows.length) this.rows.push([]);
    while (this.rows.length > REACH) {
      this.done += line(this.rows.shift()) + "\n";
      this.row -= 1;
    }
  }

  letters(text) {
    const row = this.rows[this.row];
    while (row.length < this.column) row.push([" ", ""]);
    for (const letter of text) row[this.column++] = [letter, this.colour];
  }

  escape(code) {
    const number = parseInt(code.slice(2), 10) || 1;
    const kind = code[code.length - 1];
    if (code[1] !== "[") return;
    if (kind === "m") this.colour = /^\x1b\[0?m$/.test(code) ? "" : this.colour + code;
    else if (kind === "A") this.row = Math.max(0, this.row - number);
    else if (kind === "B") for (let i = 0; i < Math.min(number, REACH); i++) this.sink();
    else if (kind === "C") this.column += Math.min(number, 1000);
    else if (kind === "D") this.column = Math.max(0, this.column - number);
    else if (kind === "G") this.column = Math.min(number, 1000) - 1;
    else if (kind === "K") this.erase(code);
    else if (kind === "J") this.rows.splice(this.row + 1, Infinity), this.erase(code);
  }

  sink() {
    const column = this.column;
    this.down();
    this.column = column;
  }

  erase(code) {
    const row = this.rows[this.row];
    if (code[2] === "2") row.length = 0;
    else if (code[2] === "1") for (let i = 0; i < Math.min(this.column, row.length); i++) row[i] = [" ", ""];
    else row.length = Math.min(row.length, this.column);
  }

  text() {
    return this.done + this.rows.map(line).join("\n");
  }
}

function line(row) {
  let text = "";
  let colour = "";
  for (const [letter, wanted] of row) {
    if (wanted !== colour) {
      text += (colour ? "\x1b[0m" : "") + wanted;
      colour = wanted;
    }
    text += letter;
  }
  return text + (colour ? "\x1b[0m" : "");
}

// One stream of a cell in the page.
export class TextView {
  constructor(item, whole) {
    this.item = item;
    this.whole = whole; // address of the whole text, or null
    this.node = document.createElement("pre");
    this.node.className = `text ${item.stream}`;
    if (item.stream === "stderr") this.node.setAttribute("aria-label", "standard error");
    this.read = 0; // chunks that were read
    this.plain = true;
    this.started = "";
    this.update();
  }

  update() {
    const chunks = this.item.chunks;
    if (this.read > chunks.length) this.reset();
    const fresh = chunks.slice(this.read).join("");
    this.read = chunks.length;
    if (!fresh) return false;
    if (this.screen) {
      this.screen.write(fresh);
      this.show(this.screen.text());
    } else if (MOVES.test(fresh) || fresh.includes("\x1b") || fresh.endsWith("\r") || this.item.size > HEAD + TAIL) {
      this.screen = new Screen();
      this.screen.write(this.started + fresh);
      this.show(this.screen.text());
    } else {
      this.started += fresh;
      this.node.append(fresh); // selections of what stands before survive
    }
    return true;
  }

  reset() {
    this.read = 0;
    this.screen = null;
    this.started = "";
    this.node.replaceChildren();
  }

  show(text) {
    if (text.endsWith("\n")) text = text.slice(0, -1);
    if (text.length <= HEAD + TAIL) {
      paint(this.node, text);
      return;
    }
    const head = text.slice(0, text.lastIndexOf("\n", HEAD) + 1 || HEAD);
    const tail = text.slice(text.indexOf("\n", text.length - TAIL / 2) + 1 || -TAIL / 2);
    const cut = document.createElement("span");
    cut.className = "cut";
    cut.textContent = `… ${(text.length - head.length - tail.length).toLocaleString("en")} of ${text.length.toLocaleString("en")} characters are not shown `;
    if (this.whole) {
      const link = document.createElement("a");
      link.href = this.whole;
      link.target = "_blank";
      link.textContent = "show the whole";
      cut.append(link);
    }
    const before = document.createElement("span");
    const after = document.createElement("span");
    paint(before, head);
    paint(after, tail);
    this.node.replaceChildren(before, cut, after);
  }
}

export function paint(node, text) {
  if (!text.includes("\x1b")) {
    if (node.firstChild?.nodeType === 3 && node.childNodes.length === 1) node.firstChild.data = text;
    else node.textContent = text;
    return;
  }
  const colours = new Colours();
  colours.use_classes = true;
  colours.url_allowlist = {};
  node.innerHTML = colours.ansi_to_html(text); // escaped by ansi_up; classes and numbers only
  for (const span of node.querySelectorAll("[data-fg]")) span.style.color = `rgb(${span.dataset.fg})`;
  for (const span of node.querySelectorAll("[data-bg]")) span.style.backgroundColor = `rgb(${span.dataset.bg})`;
}
