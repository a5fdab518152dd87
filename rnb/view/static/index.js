// The list of notebooks, with a picture of each one's state.

import { counted, el, setText } from "rnb/dom.js";

const list = document.getElementById("notebooks");

function said({ counts, faults, finished }) {
  const words = counted(counts);
  if (counts.running) words.unshift(`${counts.running} running`);
  if (faults) words.unshift(`${faults} error${faults === 1 ? "" : "s"}`);
  return words.join(" · ") || (finished ? "no cells" : "starting");
}

function draw(items) {
  list.replaceChildren(
    ...items.map((item) => {
      const cells = item.cells.slice(0, 300).map(([id, status]) => el("i", { "data-status": status, title: `${id}: ${status || "not run"}` }));
      const words = item.started ? said(item) : "starts when you open it";
      return el(
        "li",
        {},
        el("a", { href: `/n/${item.id}` }, el("span", { class: "name", text: item.title }), el("span", { class: "path", text: item.path })),
        el("span", { class: "cells-picture", role: "img", "aria-label": words }, ...cells),
        el("span", { class: "quiet", text: words }),
      );
    }),
  );
}

const source = new EventSource("/stream");
source.onmessage = (event) => draw(JSON.parse(event.data).notebooks);
source.onerror = () => setText(document.getElementById("link"), "Reconnecting …");
source.onopen = () => setText(document.getElementById("link"), "");
