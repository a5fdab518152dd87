// Past runs: a slider over them. The page shows the one that is chosen and, if asked, beside it what another run showed,
// or what is shown now: outputs side by side, figures too, and how the code differs.

import { el, seconds, setText } from "rnb/dom.js";
import { State } from "rnb/state.js";

const when = (run) => new Date(run.started * 1000).toLocaleString();

export class HistoryPanel {
  constructor(page) {
    this.page = page;
    this.runs = [];
    this.states = new Map(); // run -> promise of its state
    this.slider = el("input", { type: "range", min: 0, "aria-label": "past run" });
    this.said = el("p", { class: "said", "aria-live": "polite" });
    this.against = el("select", { id: "against" });
    this.only = el("input", { type: "checkbox", id: "only" });
    this.found = el("div", { class: "found" });
    this.list = el("ol", { class: "runs" });
    const choice = el("p", { class: "against" }, el("label", { for: "against", text: "compared with " }), this.against);
    const only = el("p", {}, el("label", {}, this.only, " only the cells that differ"));
    this.node = el("div", { class: "history" }, this.slider, this.said, choice, only, this.found, this.list);
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    this.against.addEventListener("change", () => this.compare());
    this.only.addEventListener("change", () => this.page.onlyDifferent(this.only.checked));
  }

  async update(state) {
    if (state === this.page.live && state.finished && this.known !== state.finished.run) {
      this.known = state.finished.run;
      await this.load();
    }
    if (this.page.shown !== this.page.live) this.compare();
  }

  async load() {
    if (!this.page.config.base) return setText(this.said, "A page on its own keeps no past runs.");
    const answer = await fetch(`${this.page.config.base}/runs`);
    if (!answer.ok) return setText(this.said, "The history can't be read.");
    this.runs = await answer.json();
    this.slider.max = this.runs.length;
    if (this.page.shown === this.page.live) this.slider.value = this.runs.length;
    this.offer();
    return this.draw();
  }

  offer() {
    const { value } = this.against;
    const usual = [["", "nothing"], ["before", "the run before it"], ["now", "what is shown now"]];
    const all = [...usual, ...this.runs.map((run) => [run.run, when(run)]).reverse()];
    this.against.replaceChildren(...all.map(([value, text]) => el("option", { value, text })));
    this.against.value = all.some(([known]) => known === value) ? value : "";
  }

  draw() {
    this.list.replaceChildren(
      ...this.runs
        .map((run, index) => {
          const button = el("button", { type: "button", onclick: () => this.choose(index) });
          button.append(el("span", { class: run.ok ? "good" : "bad", text: run.ok ? "● " : "✕ " }), when(run));
          const ran = run.ran.length ? ` · ${run.ran.slice(0, 4).join(", ")}${run.ran.length > 4 ? " …" : ""}` : " · ran nothing";
          button.append(el("span", { class: "quiet", text: ` ${seconds(run.seconds)}${ran}` }));
          return el("li", { "aria-current": this.chosen === run.run ? "true" : null }, button);
        })
        .reverse(),
    );
    const past = this.page.shown !== this.page.live;
    this.slider.setAttribute("aria-valuetext", past ? this.said.textContent : "now");
    if (!this.runs.length) setText(this.said, "No runs are kept yet.");
    else if (!past) setText(this.said, `${this.runs.length === 1 ? "1 run is" : `${this.runs.length} runs are`} kept; this is now.`);
  }

  async choose(index) {
    this.slider.value = index;
    if (index >= this.runs.length) return this.leave();
    const run = this.runs[index];
    this.chosen = run.run;
    const state = await this.state(run.run);
    if (!state || this.chosen !== run.run) return undefined;
    setText(this.said, `As it was after ${when(run)}`);
    this.page.show(state);
    return this.draw();
  }

  state(run) {
    if (!this.states.has(run)) this.states.set(run, this.fetched(run));
    return this.states.get(run);
  }

  async fetched(run) {
    const answer = await fetch(`${this.page.config.base}/runs/${encodeURIComponent(run)}`);
    if (!answer.ok) {
      this.states.delete(run);
      return null;
    }
    const state = new State();
    for (const message of (await answer.json()).events) state.apply(message);
    return state;
  }

  // ---------------------------------------------------------------- two runs

  // The state to compare with, what to call it, and whether it is the earlier one.
  async other() {
    const { value } = this.against;
    const here = this.runs.findIndex(({ run }) => run === this.chosen);
    if (!value || here < 0) return null;
    if (value === "now") return { state: this.page.live, label: "now", earlier: false };
    const there = value === "before" ? here - 1 : this.runs.findIndex(({ run }) => run === value);
    if (there < 0 || there === here) return null;
    const state = await this.state(this.runs[there].run);
    return state && { state, label: when(this.runs[there]), earlier: there < here };
  }

  async compare() {
    const shown = this.page.shown;
    const other = shown === this.page.live ? null : await this.other();
    if (this.page.shown !== shown) return;
    const run = this.runs.find(({ run }) => run === this.chosen);
    const differ = [];
    for (const [id, view] of this.page.views) {
      const with_ = other && { ...other, cell: other.state.cells.get(id) ?? null, code: other.state.sources.get(id)?.code ?? "", here: run ? when(run) : "" };
      if (view.compare(with_)) differ.push(id);
    }
    const gone = other ? [...other.state.cells.keys()].filter((id) => !shown.cells.has(id)) : [];
    this.tell(other, differ, gone);
  }

  tell(other, differ, gone) {
    if (!other) return this.found.replaceChildren();
    const links = differ.flatMap((id, place) => {
      const link = el("a", { href: `#cell-${id}`, text: id });
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.page.jump(id);
      });
      return place ? [", ", link] : [link];
    });
    const count = differ.length === 1 ? "1 cell differs: " : `${differ.length} cells differ: `;
    this.found.replaceChildren(el("p", {}, ...(differ.length ? [count, ...links] : ["Both show the same."])));
    if (gone.length) this.found.append(el("p", { text: `Not in this run: ${gone.join(", ")}` }));
    return undefined;
  }

  leave() {
    this.chosen = null;
    for (const view of this.page.views.values()) view.compare(null);
    this.found.replaceChildren();
    if (this.page.shown !== this.page.live) this.page.show(null);
    return this.draw();
  }

  closed() {
    this.only.checked = false;
    this.page.onlyDifferent(false);
    this.slider.value = this.runs.length;
    this.leave();
  }
}
