// Past runs: a slider over them; the page shows the one that is chosen and, beside it, what the notebook shows now.

import { el, seconds, setText } from "rnb/dom.js";
import { State } from "rnb/state.js";

export class HistoryPanel {
  constructor(page) {
    this.page = page;
    this.runs = [];
    this.slider = el("input", { type: "range", min: 0, "aria-label": "past run" });
    this.said = el("p", { class: "said", "aria-live": "polite" });
    this.compare = el("input", { type: "checkbox", id: "compare" });
    this.list = el("ol", { class: "runs" });
    this.node = el("div", { class: "history" }, this.slider, this.said, el("label", {}, this.compare, " beside what is shown now"), this.list);
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    this.compare.addEventListener("change", () => this.beside());
  }

  async update(state) {
    if (state === this.page.live && state.finished && this.known !== state.finished.run) {
      this.known = state.finished.run;
      await this.load();
    }
    if (this.page.shown !== this.page.live) this.beside();
  }

  async load() {
    if (!this.page.config.base) return setText(this.said, "A page on its own keeps no past runs.");
    const answer = await fetch(`${this.page.config.base}/runs`);
    if (!answer.ok) return setText(this.said, "The history can't be read.");
    this.runs = await answer.json();
    this.slider.max = this.runs.length;
    if (this.page.shown === this.page.live) this.slider.value = this.runs.length;
    this.draw();
  }

  draw() {
    this.list.replaceChildren(
      ...this.runs
        .map((run, index) => {
          const when = new Date(run.started * 1000).toLocaleString();
          const button = el("button", { type: "button", onclick: () => this.choose(index) });
          button.append(el("span", { class: run.ok ? "good" : "bad", text: run.ok ? "● " : "✕ " }), when);
          button.append(el("span", { class: "quiet", text: ` ${seconds(run.seconds)}${run.ran.length ? ` · ${run.ran.slice(0, 4).join(", ")}${run.ran.length > 4 ? " …" : ""}` : ""}` }));
          return el("li", { "aria-current": this.chosen === run.run ? "true" : null }, button);
        })
        .reverse(),
    );
    if (!this.runs.length) setText(this.said, "No runs are kept yet.");
    else if (this.page.shown === this.page.live) setText(this.said, `${this.runs.length} runs are kept; this is now.`);
  }

  async choose(index) {
    this.slider.value = index;
    if (index >= this.runs.length) return this.leave();
    const run = this.runs[index];
    this.chosen = run.run;
    const answer = await fetch(`${this.page.config.base}/runs/${encodeURIComponent(run.run)}`);
    if (!answer.ok || this.chosen !== run.run) return undefined;
    const state = new State();
    for (const message of (await answer.json()).events) state.apply(message);
    setText(this.said, `As it was after ${new Date(run.started * 1000).toLocaleString()}`);
    this.page.show(state);
    this.draw();
    return undefined;
  }

  beside() {
    for (const [id, view] of this.page.views) {
      const now = this.compare.checked && this.page.shown !== this.page.live ? this.page.live.cells.get(id) : null;
      view.compare(now);
    }
  }

  leave() {
    this.chosen = null;
    for (const view of this.page.views.values()) view.compare(null);
    if (this.page.shown !== this.page.live) this.page.show(null);
    this.draw();
  }

  closed() {
    this.leave();
  }
}
