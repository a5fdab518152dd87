// The page: events are folded as they come and drawn in the next frame, in pieces that leave the page responsive.

import { el, counted, editorLink, setText, seconds, spoken, afterFrame, breathe } from "rnb/dom.js";
import { State } from "rnb/state.js";
import { Link } from "rnb/link.js";
import { CellView } from "rnb/cells.js";
import { OutputList } from "rnb/outputs.js";
import { Panels } from "rnb/panels.js";
import { listen } from "rnb/keys.js";

const $ = (id) => document.getElementById(id);
const BUDGET = 8; // milliseconds of drawing at once …
const FIRST = 25; // … and for the first screen of a large page

class Page {
  constructor() {
    this.config = JSON.parse($("config").textContent);
    this.live = new State(); // what the notebook is
    this.shown = this.live; // what the page shows: the same, or a past run
    this.views = new Map();
    this.dirty = new Set();
    this.all = false;
    this.drawing = false;
    this.offset = 0; // seconds between the server's clock and ours
    this.setupList = new OutputList($("setup"), { config: this.config, whole: null, sourceLine: () => undefined });
    this.panels = new Panels(this);
    if (this.config.several) $("home").hidden = false;
    listen(this);
    setInterval(() => this.tick(), 100);
    const events = $("events");
    if (events) this.begin(JSON.parse(events.textContent));
    else {
      $("empty").hidden = false;
      setText($("empty"), "Waiting for the notebook …");
      this.preview();
      this.connect();
    }
  }

  // The state is asked for while the modules still load (see the page's <head>); the stream goes on from there.
  async connect() {
    const link = {
      take: (message) => this.take(message),
      snapshot: (body) => this.snapshot(body),
      say: (word) => setText($("link"), word),
    };
    const asked = fetch(`${this.config.base}/state`).catch(() => null);
    if (this.filling) await afterFrame(); // the first screen is read before the rest is taken in
    const answer = await asked;
    const body = answer?.ok ? await answer.json().catch(() => null) : null;
    if (body) this.snapshot(body);
    this.link = new Link(`${this.config.base}/stream`, link, body);
  }

  // The first screen came with the page: it stands until the whole is here.
  preview() {
    const first = $("first");
    if (!first) return;
    this.filling = true; // what is drawn now is no news
    for (const message of JSON.parse(first.textContent)) this.live.apply(message);
    this.all = this.drawing = true;
    this.draw();
  }

  begin(messages) {
    for (const message of messages) this.live.apply(message);
    document.body.classList.add("static");
    this.everything();
  }

  now() {
    return Date.now() / 1000 - this.offset;
  }

  // ---------------------------------------------------------------- what comes in

  take(message) {
    if (message.time) this.offset = Date.now() / 1000 - message.time;
    const about = this.live.apply(message);
    if (this.shown !== this.live) return;
    this.announce(message);
    if (message.type === "source") for (const id of Object.keys(message.cells)) this.dirty.add(id);
    else if (about === undefined) this.all = this.all || message.type === "notebook" || message.type === "plan";
    else this.dirty.add(about);
    this.wake();
  }

  snapshot(body) {
    const past = this.shown !== this.live;
    this.whole = true;
    this.live = new State();
    for (const message of body.events) this.live.apply(message);
    if (past) return;
    this.shown = this.live;
    this.everything();
  }

  show(state) {
    this.shown = state ?? this.live;
    document.body.classList.toggle("past", this.shown !== this.live);
    this.everything();
  }

  announce(message) {
    if (message.type === "cell" && (message.status === "failed" || message.status === "killed"))
      setText($("live"), `Cell ${message.cell} ${message.status}`);
    else if (message.type === "finished")
      setText($("live"), message.ok ? `Finished in ${seconds(message.seconds)}` : "Finished with failures");
  }

  // ---------------------------------------------------------------- drawing

  everything() {
    this.all = true;
    this.wake();
  }

  wake() {
    if (this.drawing) return;
    this.drawing = true;
    if (document.hidden) setTimeout(() => this.draw(), 50);
    else requestAnimationFrame(() => this.draw());
  }

  async draw() {
    const state = this.shown;
    if (this.all) {
      this.all = false;
      this.frame(state);
      for (const id of state.cells.keys()) this.dirty.add(id);
      this.dirty.add(null);
    }
    if (!this.filling || this.whole) this.summary(state);
    let until = performance.now() + (this.views.size > 50 && this.dirty.size > 50 ? FIRST : BUDGET);
    let first = true;
    for (const id of this.dirty) {
      this.dirty.delete(id);
      if (id === null) this.setupList.update(state.setup.kept);
      else if (state.cells.has(id) && this.views.has(id)) this.views.get(id).update(state.cells.get(id));
      if (performance.now() > until) {
        await (first ? afterFrame() : breathe());
        first = false;
        if (this.all || this.shown !== state) break;
        until = performance.now() + BUDGET;
      }
    }
    this.panels.update(state);
    this.drawing = false;
    if (this.all || this.dirty.size) this.wake();
    else if (this.whole) this.filling = false;
  }

  // Everything around the cells, and the cells' order.
  frame(state) {
    const { notebook } = state;
    if (!notebook) return;
    const unread = notebook.faults.some(({ code }) => code === "syntax");
    $("empty").hidden = notebook.cells.length > 0 || unread;
    setText($("empty"), "This notebook has no cells yet.");
    const title = notebook.title || this.config.name;
    setText($("title"), title);
    setText($("bar-title"), title);
    document.title = title;
    if (this.intro !== state.intro) {
      this.intro = state.intro;
      $("intro").innerHTML = state.intro; // cleaned by the server
    }
    this.parameters(notebook);
    this.faults(notebook);
    this.place(state);
  }

  place(state) {
    const holder = $("cells");
    for (const [id, view] of this.views) {
      if (state.cells.has(id)) continue;
      view.node.remove();
      this.views.delete(id);
    }
    let next = holder.firstElementChild;
    for (const id of state.cells.keys()) {
      let view = this.views.get(id);
      if (!view) {
        view = new CellView(id, this);
        this.views.set(id, view);
        if (this.codeShown && !state.cells.get(id).info.hide) queueMicrotask(() => view.fold(true));
      }
      if (view.node === next) next = next.nextElementSibling;
      else holder.insertBefore(view.node, next);
    }
  }

  parameters({ parameters }) {
    const node = $("parameters");
    const text = JSON.stringify(parameters);
    if (this.parametersShown === text) return;
    this.parametersShown = text;
    node.replaceChildren(
      ...parameters.map(({ name, value, default: usual }) =>
        el("span", { class: value === usual ? "" : "set" }, el("code", { text: name }), ` = ${value}`),
      ),
    );
  }

  faults(notebook) {
    const node = $("faults");
    node.hidden = !notebook.faults.length;
    node.classList.toggle("mild", notebook.faults.every(({ severity }) => severity === "warning"));
    const older = notebook.cells.length && notebook.faults.some(({ code }) => code === "syntax");
    node.replaceChildren(
      ...notebook.faults.map((fault) => {
        const where = `${fault.path || this.config.path}:${fault.line}:${fault.column ?? 1}`;
        const link = editorLink(this.config, fault.line, fault.column ?? 1);
        return el(
          "div",
          { class: `fault ${fault.severity ?? "error"}` },
          link ? el("a", { href: link, class: "where", text: where }) : el("span", { class: "where", text: where }),
          el("span", { class: "code-name", text: ` ${fault.code} ` }),
          el("span", {}, ...spoken(fault.message)),
          fault.hint ? el("span", { class: "hint" }, ...spoken(fault.hint)) : "",
        );
      }),
      older ? el("p", { class: "quiet", text: "The results below are those of the last text that could be read." }) : "",
    );
  }

  summary(state) {
    const counts = state.counts();
    const running = [...state.cells.values()].filter((cell) => cell.phase === "running").map((cell) => cell.info.id);
    const words = counted(counts);
    if (running.length) words.unshift(`running ${running.slice(0, 3).join(", ")}`);
    else if (state.finished) words.push(seconds(state.finished.seconds));
    setText($("summary"), words.join(" · "));
    const broken = counts.failed || counts.killed || state.notebook?.faults.some(({ severity }) => (severity ?? "error") === "error");
    const mood = running.length ? "running" : broken ? "bad" : state.finished ? "good" : "";
    document.documentElement.dataset.mood = mood;
  }

  tick() {
    for (const cell of this.shown.cells.values()) if (cell.phase === "running") this.views.get(cell.info.id)?.tick();
  }

  // ---------------------------------------------------------------- what a reader does

  jump(id) {
    const view = this.views.get(id);
    if (!view) return;
    view.node.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    view.node.focus({ preventScroll: true });
    view.flash();
  }

  onlyDifferent(only) {
    document.body.classList.toggle("only-different", only);
  }

  hover(id) {
    this.panels.hover(id);
  }

  step(by) {
    const ids = [...this.shown.cells.keys()];
    const here = document.activeElement?.closest?.(".cell");
    const place = here ? ids.indexOf(here.id.slice(5)) : by > 0 ? -1 : ids.length;
    const id = ids[Math.max(0, Math.min(ids.length - 1, place + by))];
    if (id !== undefined) this.jump(id);
  }

  foldAll(show = !this.codeShown) {
    this.codeShown = show;
    for (const [id, view] of this.views) view.fold(show && !this.shown.cells.get(id)?.info.hide);
    document.querySelector('[data-tool="code"]').setAttribute("aria-pressed", String(show));
  }
}

globalThis.rnbPage = new Page();
