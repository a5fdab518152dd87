// State: what anyone sees of a notebook, as a fold of events. The port of rnb/plan/state.py and panels.py, rule by
// rule; tests/view/test_fold.py holds the two against each other. No document here: it also runs in node.

const ENDS = new Set(["done", "failed", "killed", "cancelled", "cached", "unchanged", "blocked"]);

export class Panel {
  constructor() {
    this.kept = [];
    this.open = false;
    this.prompt = null;
  }

  clear() {
    this.kept = [];
    this.open = false;
    this.prompt = null;
  }

  begin(running) {
    this.prompt = null;
    if (!running && !this.open) {
      this.kept = [];
      this.open = true;
    }
  }

  write(stream, text) {
    const last = this.kept[this.kept.length - 1];
    if (last && last.kind === "text" && last.stream === stream) {
      if (text) last.chunks.push(text);
      last.size += text.length;
    } else if (text) {
      this.kept.push({ kind: "text", stream, chunks: [text], size: text.length });
    }
  }

  show(picture) {
    if (picture.display_id !== null) {
      const place = this.kept.findIndex((item) => item.kind === "picture" && item.display_id === picture.display_id);
      if (place >= 0) {
        this.kept[place] = picture;
        return;
      }
    }
    this.kept.push(picture);
  }

  get failed() {
    return this.kept.some((item) => item.kind === "problem");
  }
}

export class Cell extends Panel {
  constructor(info) {
    super();
    this.info = info;
    this.phase = "";
    this.result = "";
    this.seconds = null;
    this.fraction = 0; // how far its query is, where that is told
    this.blocked = false;
    this.started = null;
    this.ended = null;
    this.why = [];
    this.mutations = [];
    this.resultReason = null;
    this.blockReason = null;
    this.values = [];
    this.files = [];
  }

  get status() {
    return this.phase || (this.blocked ? "blocked" : this.result);
  }

  get reason() {
    if (this.phase) return null;
    return this.blocked ? this.blockReason : this.resultReason;
  }

  get outputs() {
    return this.blocked ? [] : this.kept;
  }

  turn(event) {
    this.prompt = null;
    this.fraction = 0;
    if (event.status === "queued") this.phase = "queued";
    else if (event.status === "running") this.start(event);
    else if (ENDS.has(event.status)) this.end(event);
  }

  start(event) {
    this.clear();
    this.mutations = [];
    this.phase = "running";
    this.blocked = false;
    this.blockReason = null;
    this.result = "";
    this.resultReason = null;
    this.seconds = null;
    this.values = [];
    this.files = [];
    this.started = event.time || null;
    this.ended = null;
  }

  end(event) {
    const ran = this.phase === "running";
    const batch = this.open;
    this.phase = "";
    this.open = false;
    if (event.status === "blocked") {
      this.blocked = true;
      this.blockReason = event.reason ?? null;
    } else if (event.status === "unchanged") {
      this.blocked = false;
      this.blockReason = null;
      this.assume();
    } else if (event.status === "cancelled" && !ran && (this.result || this.blocked)) {
      // it never started: what it showed before stands
    } else {
      if (event.status === "cached" && !ran && !batch) this.kept = [];
      this.blocked = false;
      this.blockReason = null;
      this.result = event.status;
      this.resultReason = event.reason ?? null;
      this.seconds = event.seconds ?? null;
      this.ended = event.time || null;
      this.values = event.values ?? [];
      this.files = event.files ?? [];
    }
  }

  assume() {
    if (!this.result) this.result = this.failed ? "failed" : "done";
  }
}

export class State {
  constructor() {
    this.notebook = null;
    this.cells = new Map(); // by id, in file order
    this.setup = new Panel();
    this.plan = null;
    this.kernel = null;
    this.finished = null;
    this.intro = "";
    this.sources = new Map(); // id -> {code, doc}
  }

  // Folds one event; returns the id of the cell that it is about, null for the setup, undefined for everything.
  apply(event) {
    switch (event.type) {
      case "notebook":
        return this.onNotebook(event);
      case "plan":
        return this.onPlan(event);
      case "cell":
        this.cells.get(event.cell)?.turn(event);
        return event.cell;
      case "stream":
        this.panel(event.cell)?.write(event.stream, event.text ?? "");
        return event.cell ?? null;
      case "display":
        this.panel(event.cell)?.show({
          kind: "picture",
          data: event.data,
          html: event.html,
          display_id: event.display_id ?? null,
          frame: event.frame ?? null,
        });
        return event.cell ?? null;
      case "error":
        this.panel(event.cell)?.kept.push({
          kind: "problem",
          name: event.name,
          message: event.message,
          line: event.line ?? null,
          traceback: event.traceback,
        });
        return event.cell ?? null;
      case "mutation":
        return this.onMutation(event);
      case "input": {
        const panel = event.cell == null ? this.setup : this.cells.get(event.cell);
        if (panel) panel.prompt = event.prompt;
        return event.cell ?? null;
      }
      case "progress": {
        const cell = this.cells.get(event.cell);
        if (cell) cell.fraction = event.fraction;
        return event.cell;
      }
      case "kernel":
        this.kernel = event;
        return undefined;
      case "finished":
        this.finished = event;
        return undefined;
      case "source":
        return this.onSource(event);
      default:
        return undefined; // what a newer server says
    }
  }

  panel(id) {
    const panel = id == null ? this.setup : this.cells.get(id);
    if (panel) panel.begin(panel instanceof Cell && panel.phase === "running");
    return panel;
  }

  onNotebook(event) {
    this.notebook = event;
    this.finished = null;
    const old = this.cells;
    this.cells = new Map();
    for (const info of event.cells) {
      const cell = old.get(info.id) ?? new Cell(info);
      cell.info = info;
      this.cells.set(info.id, cell);
    }
    return undefined;
  }

  onPlan(event) {
    this.plan = event;
    this.setup.open = false;
    for (const cell of this.cells.values()) cell.open = false;
    for (const planned of event.cells) {
      const cell = this.cells.get(planned.cell);
      if (cell) cell.why = planned.why;
    }
    return undefined;
  }

  onMutation(event) {
    const cell = this.cells.get(event.cell);
    if (cell) {
      const others = cell.mutations.filter((item) => item.name !== event.name || item.owner !== event.owner);
      cell.mutations = [...others, event];
    }
    return event.cell;
  }

  onSource(event) {
    this.intro = event.intro;
    for (const [id, source] of Object.entries(event.cells)) this.sources.set(id, source);
    return undefined;
  }

  counts() {
    const counts = {};
    for (const { status } of this.cells.values()) if (status) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }
}

export function textOf(item) {
  if (item.chunks.length > 1) item.chunks = [item.chunks.join("")];
  return item.chunks[0] ?? "";
}
