// The DAG, laid out by dagre, drawn as SVG with the cells' live states. It follows the cell under the pointer, with all
// that it comes from and all that comes from it; a click (or Enter) jumps to a cell.

import { el } from "rnb/dom.js";
import { Camera } from "rnb/camera.js";

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 7.2; // of a letter, about
const HIGH = 24;
const LARGE = 200; // cells that are laid out one way only
const READABLE = 0.8; // a graph that is too large to be seen whole opens at this zoom

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export class GraphPanel {
  constructor(page) {
    this.page = page;
    this.node = document.createElement("div");
    this.node.className = "graph";
    this.shape = "";
    this.nodes = new Map();
    this.lines = [];
  }

  async update(state) {
    if (!state.notebook) return;
    const cells = state.notebook.cells.filter(({ kind }) => kind !== "markdown");
    const shape = JSON.stringify([cells.map(({ id }) => id), state.notebook.edges]);
    if (shape !== this.shape) {
      this.shape = shape;
      const { default: dagre } = await import("rnb/vendor/dagre.js");
      if (this.shape === shape) this.draw(dagre, cells, state.notebook.edges);
    }
    for (const [id, node] of this.nodes) {
      const status = state.cells.get(id)?.status ?? "";
      if (node.dataset.status !== status) {
        node.dataset.status = status;
        node.setAttribute("aria-label", `${id}, ${status || "not run"}`);
      }
    }
  }

  draw(dagre, cells, edges) {
    const graph = this.placed(dagre, cells, edges);
    const { width, height } = graph.graph();
    this.nodes.clear();
    this.lines = graph.edges().map((edge) => {
      const line = svg("path", { class: "edge", d: path(graph.edge(edge).points) });
      return { line, from: edge.v, to: edge.w };
    });
    for (const id of graph.nodes()) this.nodes.set(id, this.box(id, graph.node(id)));
    this.places = new Map(graph.nodes().map((id) => [id, graph.node(id)]));
    const scene = svg("g", {}, ...this.lines.map(({ line }) => line), ...this.nodes.values());
    const drawing = svg("svg", { role: "group", tabindex: "0", "aria-label": "graph of the cells; arrows move it, + and - zoom, 0 shows all" }, scene);
    this.node.replaceChildren(drawing, this.tools());
    this.drawing = drawing;
    this.camera = new Camera(drawing, scene, { width, height }, READABLE);
    this.camera.fit(READABLE);
  }

  // Laid out downwards or to the right: many cells side by side find no room in a narrow panel, a long chain none in a low one.
  placed(dagre, cells, edges) {
    const { clientWidth, clientHeight } = this.node;
    const laid = (rankdir) => {
      const graph = new dagre.graphlib.Graph();
      graph.setGraph({ rankdir, nodesep: 10, ranksep: rankdir === "TB" ? 30 : 56, marginx: 6, marginy: 6 });
      graph.setDefaultEdgeLabel(() => ({}));
      const known = new Set(cells.map(({ id }) => id));
      for (const { id } of cells) graph.setNode(id, { width: Math.min(26, id.length) * WIDTH + 14, height: HIGH });
      for (const [from, to] of edges) if (known.has(from) && known.has(to) && from !== to) graph.setEdge(from, to);
      dagre.layout(graph);
      return graph;
    };
    const zoom = (graph) => Math.min(1, clientWidth / graph.graph().width, clientHeight / graph.graph().height);
    const down = laid("TB");
    if (zoom(down) === 1 || cells.length > LARGE) return down;
    const right = laid("LR");
    return zoom(right) > 1.2 * zoom(down) ? right : down;
  }

  tools() {
    const button = (text, label, act) => el("button", { type: "button", text, "aria-label": label, title: label, onclick: act });
    return el(
      "p",
      { class: "graph-tools" },
      button("−", "smaller", () => this.camera.closer(0.8)),
      button("+", "larger", () => this.camera.closer(1.25)),
      button("All", "show all of the graph", () => this.camera.fit()),
      button("Wide", "graph over the whole page", () => this.wide(!document.body.classList.contains("wide-panel"))),
    );
  }

  wide(wide) {
    document.body.classList.toggle("wide-panel", wide);
    this.camera.touched = false;
  }

  closed() {
    document.body.classList.remove("wide-panel");
  }

  box(id, { x, y, width, height }) {
    const label = id.length > 26 ? `${id.slice(0, 25)}…` : id;
    const box = svg(
      "g",
      { class: "node", tabindex: "0", role: "link", transform: `translate(${x - width / 2} ${y - height / 2})` },
      svg("rect", { width, height, rx: 5 }),
      svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle", "dominant-baseline": "central" }, label),
      svg("title", {}, id),
    );
    box.addEventListener("click", () => this.go(id));
    box.addEventListener("keydown", (event) => event.key === "Enter" && this.go(id));
    box.addEventListener("pointerenter", () => this.light(id));
    box.addEventListener("pointerleave", () => this.light(null));
    box.addEventListener("focus", () => {
      this.light(id);
      this.camera.show(this.places.get(id));
    });
    box.addEventListener("blur", () => this.light(null));
    return box;
  }

  go(id) {
    this.wide(false);
    this.page.jump(id);
  }

  // The pointer is on a cell of the page.
  hover(id) {
    this.light(id);
    const place = id && this.places?.get(id);
    if (place) this.camera.show(place);
  }

  light(id) {
    if (!this.drawing) return;
    const above = this.reach(id, "to", "from");
    const below = this.reach(id, "from", "to");
    this.drawing.classList.toggle("lit", this.nodes.has(id));
    for (const [other, node] of this.nodes) {
      node.classList.toggle("here", other === id);
      node.classList.toggle("kin", above.has(other) || below.has(other));
    }
    for (const { line, from, to } of this.lines) {
      line.classList.toggle("in", above.has(from) && (above.has(to) || to === id));
      line.classList.toggle("out", below.has(to) && (below.has(from) || from === id));
    }
    for (const { node, cell } of this.page.views.values()) node.classList.toggle("near", id !== null && cell?.info.id === id);
  }

  // All cells that lead to `id`, or that it leads to.
  reach(id, end, start) {
    const found = new Set();
    const todo = [id];
    while (todo.length) {
      const here = todo.pop();
      for (const line of this.lines) {
        if (line[end] !== here || found.has(line[start])) continue;
        found.add(line[start]);
        todo.push(line[start]);
      }
    }
    return found;
  }
}

function path(points) {
  const [first, ...rest] = points;
  let text = `M${first.x} ${first.y}`;
  for (let i = 0; i < rest.length - 1; i++) {
    const [a, b] = [rest[i], rest[i + 1]];
    const end = i === rest.length - 2 ? b : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    text += `Q${a.x} ${a.y} ${end.x} ${end.y}`;
  }
  return rest.length === 1 ? `${text}L${rest[0].x} ${rest[0].y}` : text;
}
