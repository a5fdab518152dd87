// What a cell raised: the exception, the line, and the frames that people wrote. Those of libraries are counted, as on a
// terminal (report/tracebacks.py); the whole of it is one click away.

import { editorLink, el } from "rnb/dom.js";

const FRAME = /^([\s|]*)File "(.+?)", line (\d+)(, in (.*))?$/;
const LIBRARY = /[/\\](?:(?:site|dist)-packages|lib[/\\]python3\.\d+)[/\\]|^<frozen |^(?![/\\]).*\.p(?:yx|xi|xd)$/i;

export class ProblemView {
  constructor(item, context) {
    this.item = item;
    const heading = el("p", { class: "problem-name" }, el("strong", { text: item.name }));
    if (item.message) heading.append(el("span", { text: `: ${item.message}` }));
    this.node = el("div", { class: "problem", role: "group", "aria-label": `${item.name}: ${item.message}` }, heading);
    const source = item.line && context.sourceLine(item.line);
    if (item.line) this.node.append(place(item.line, source, context));
    const lines = item.traceback.trimEnd().split("\n");
    if (lines.length < 2) return;
    const short = own(lines);
    if (short.length < lines.length) {
      this.node.append(el("details", { open: true }, el("summary", { text: "Traceback" }), listing(short, context)));
      this.node.append(el("details", {}, el("summary", { text: "Whole traceback" }), listing(lines, context)));
    } else this.node.append(el("details", { open: item.traceback.length < 1500 }, el("summary", { text: "Traceback" }), listing(lines, context)));
  }

  update() {
    return false;
  }
}

// Without the frames of libraries; where some were stands how many.
export function own(lines) {
  const kept = [];
  let [hidden, indent] = [0, null];
  const told = () => {
    if (hidden) kept.push(`${indent}… ${hidden} frame${hidden > 1 ? "s" : ""} of libraries`);
    hidden = 0;
  };
  for (const line of lines) {
    const frame = FRAME.exec(line);
    if (frame && LIBRARY.test(frame[2])) {
      hidden += 1;
      indent = frame[1];
    } else if (frame || !hidden || !line.startsWith(`${indent}  `)) {
      told();
      kept.push(line);
    }
  }
  told();
  return kept;
}

function listing(lines, context) {
  const pre = el("pre", { class: "text traceback" });
  for (const line of lines) pre.append(...traced(line, context), "\n");
  return pre;
}

function place(line, source, context) {
  const link = editorLink(context.config, line);
  const label = `${context.config.path}:${line}`;
  const where = link ? el("a", { href: link, class: "where", text: label }) : el("span", { class: "where", text: label });
  const row = el("p", { class: "problem-place" }, where);
  if (source) row.append(el("code", { text: source.trim() }));
  return row;
}

function traced(line, context) {
  const found = FRAME.exec(line);
  if (!found || !(context.config.file === found[2] || found[2].endsWith(context.config.path))) return [line];
  const link = editorLink(context.config, found[3]);
  const label = `${found[2]}:${found[3]}`;
  return [found[1], link ? el("a", { href: link, text: label }) : el("strong", { text: label }), found[4] ?? ""];
}
