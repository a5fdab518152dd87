// The DAG, laid out by dagre, drawn as SVG with the cells' live states. It follows the cell under the pointer, and a
// click (or Enter) jumps to a cell.

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 7.2; // of a letter, about
const HIGH = 24;

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
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: "TB", nodesep: 14, ranksep: 30, marginx: 6, marginy: 6 });
    graph.setDefaultEdgeLabel(() => ({}));
    const known = new Set(cells.map(({ id }) => id));
    for (const { id } of cells) graph.setNode(id, { width: Math.min(26, id.length) * WIDTH + 22, height: HIGH });
    for (const [from, to] of edges) if (known.has(from) && known.has(to) && from !== to) graph.setEdge(from, to);
    dagre.layout(graph);
    const { width, height } = graph.graph();
    this.nodes.clear();
    this.lines = graph.edges().map((edge) => {
      const line = svg("path", { class: "edge", d: path(graph.edge(edge).points) });
      return { line, from: edge.v, to: edge.w };
    });
    for (const id of graph.nodes()) this.nodes.set(id, this.box(id, graph.node(id)));
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "graph of the cells" });
    drawing.append(...this.lines.map(({ line }) => line), ...this.nodes.values());
    drawing.style.maxWidth = width > 900 ? "none" : "100%";
    this.node.replaceChildren(drawing);
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
    box.addEventListener("click", () => this.page.jump(id));
    box.addEventListener("keydown", (event) => event.key === "Enter" && this.page.jump(id));
    box.addEventListener("pointerenter", () => this.hover(id));
    box.addEventListener("pointerleave", () => this.hover(null));
    return box;
  }

  hover(id) {
    for (const [other, node] of this.nodes) node.classList.toggle("here", other === id);
    for (const { line, from, to } of this.lines) {
      line.classList.toggle("in", to === id);
      line.classList.toggle("out", from === id);
    }
    for (const { node, cell } of this.page.views.values()) node.classList.toggle("near", id !== null && cell?.info.id === id);
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
