// What a cell shows: each output gets the best form that the page can show safely. Text by terminal.js; pictures as
// <img>, so that no SVG can run; clean HTML (made so by the server) in place; all else in a frame without an origin.

import { cleaned, el } from "rnb/dom.js";
import { ProblemView } from "rnb/problem.js";
import { TextView, paint } from "rnb/terminal.js";
import { textOf } from "rnb/state.js";
import { enhance } from "rnb/table.js";
import { FrameTable } from "rnb/frames.js";

const IMAGES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"];
const HIGHEST = 4000; // pixels of a frame
const frames = new Map(); // window of a frame -> what it is to show

addEventListener("message", (event) => {
  const known = frames.get(event.source);
  if (!known || !event.data) return;
  if (event.data.rnbReady && !known.sent) {
    known.sent = true;
    event.source.postMessage(known.content, "*");
  } else if (Number.isFinite(event.data.rnbHeight)) {
    known.node.style.height = `${Math.min(HIGHEST, Math.max(0, event.data.rnbHeight))}px`;
  }
});

function frame(content, label) {
  const node = el("iframe", { class: "frame", sandbox: "allow-scripts", title: label, referrerpolicy: "no-referrer" });
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const known = { node, content: { ...content, dark }, sent: false };
  const offline = document.getElementById("frame");
  if (offline) node.srcdoc = JSON.parse(offline.textContent);
  else node.src = "/frame";
  let inside = null;
  const enter = () => {
    if (node.contentWindow && node.contentWindow !== inside) frames.set((inside = node.contentWindow), known);
  };
  // The frame's window is there as soon as the frame is in the document.
  queueMicrotask(enter);
  requestAnimationFrame(enter);
  node.leave = () => frames.delete(inside);
  return node;
}

function image(type, content, label) {
  const source =
    type === "image/svg+xml"
      ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(content)}`
      : `data:${type};base64,${String(content).replace(/\s/g, "")}`;
  const node = el("img", { class: "picture", src: source, alt: label, decoding: "async" });
  node.addEventListener("error", () => node.replaceWith(el("pre", { class: "text", text: label })), { once: true });
  return node;
}

let carried = null; // libraries in a page without a server

function library(name) {
  const node = document.getElementById("libraries");
  if (!node) return `/assets/${name}`;
  carried ??= JSON.parse(node.textContent);
  return carried[name] ?? null;
}

function figure(data, label) {
  const plotly = data["application/vnd.plotly.v1+json"];
  const vega = Object.keys(data).find((key) => /^application\/vnd\.vegalite\.v\d+(\.\d+)*\+json$/.test(key));
  const found = plotly ? ["plotly", "plotly.js", plotly] : vega ? ["vega", "vega.js", data[vega]] : null;
  if (!found) return null;
  const source = library(found[1]);
  return source && frame({ kind: found[0], content: found[2], library: source }, label);
}

function pictured(item) {
  const { data } = item;
  const label = String(data["text/plain"] ?? "output");
  const drawn = figure(data, label);
  if (drawn) return drawn;
  if (item.html !== undefined) return enhance(cleaned(el("div", { class: "rich prose" }), item.html));
  if (typeof data["text/html"] === "string") return frame({ kind: "html", content: data["text/html"] }, label);
  const type = IMAGES.find((type) => typeof data[type] === "string");
  if (type) return image(type, data[type], label);
  if (typeof data["text/latex"] === "string") return el("pre", { class: "text latex", text: data["text/latex"] });
  const node = el("pre", { class: "text result" });
  paint(node, label);
  return node;
}

class PictureView {
  constructor(item, context) {
    this.item = item;
    const shown = pictured(item);
    this.table = item.frame && context.config.base ? new FrameTable(item.frame, context.config.base, shown) : null;
    this.node = el("div", { class: "display" }, this.table?.node ?? shown);
  }

  update() {
    return false;
  }

  // The same to look at, from another run: a long table goes on with the rows of that one.
  adopt(item) {
    this.item = item;
    if (item.frame) this.table?.take(item.frame);
  }

  leave() {
    this.table?.leave();
    this.node.querySelector("iframe")?.leave?.();
  }
}

function viewOf(item, context) {
  if (item.kind === "text") return new TextView(item, context.whole);
  return item.kind === "problem" ? new ProblemView(item, context) : new PictureView(item, context);
}

export function same(a, b) {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === "text") return a.stream === b.stream && a.size === b.size && textOf(a) === textOf(b);
  if (a.kind === "problem")
    return a.name === b.name && a.message === b.message && a.line === b.line && a.traceback === b.traceback;
  const keys = Object.keys(a.data);
  return (
    keys.length === Object.keys(b.data).length &&
    keys.every((key) => a.data[key] === b.data[key] || JSON.stringify(a.data[key]) === JSON.stringify(b.data[key]))
  );
}

export const sameAll = (a, b) => a.length === b.length && a.every((item, index) => same(item, b[index]));

// The outputs of one panel, kept in step with `kept`: what is the same stays untouched in the document.
export class OutputList {
  constructor(node, context) {
    this.node = node;
    this.context = context;
    this.views = [];
  }

  update(kept) {
    let changed = false;
    kept.forEach((item, index) => {
      const view = this.views[index];
      if (view && view.item === item) changed = view.update() || changed;
      else if (view && same(view.item, item)) this.adopt(view, item);
      else {
        changed = true;
        const fresh = viewOf(item, this.context);
        if (view) {
          view.leave?.();
          view.node.replaceWith(fresh.node);
        } else this.node.append(fresh.node);
        this.views[index] = fresh;
      }
    });
    while (this.views.length > kept.length) {
      const gone = this.views.pop();
      gone.leave?.();
      gone.node.remove();
      changed = true;
    }
    return changed;
  }

  adopt(view, item) {
    if (view.adopt) view.adopt(item);
    view.item = item;
    if (item.kind === "text") view.read = item.chunks.length;
  }
}

