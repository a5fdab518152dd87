// Keys: one letter each, none of them while somebody types or holds a modifier.

const HELP = "j k next, previous cell · o code of this cell · c all code · g graph · v values · h past runs · Esc close";

export function listen(page) {
  const actions = {
    c: () => page.foldAll(),
    g: () => page.panels.toggle("graph"),
    v: () => page.panels.toggle("values"),
    h: () => page.panels.toggle("history"),
    j: () => page.step(1),
    k: () => page.step(-1),
    o: () => page.views.get(document.activeElement?.closest?.(".cell")?.id.slice(5))?.fold(),
    Escape: () => page.panels.close(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Escape" && event.target.closest?.("input, textarea, select")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll("#tools [data-tool]")) {
    button.addEventListener("click", () => actions[{ code: "c", graph: "g", values: "v", history: "h" }[button.dataset.tool]]());
  }
  document.getElementById("tools").title = HELP;
}
