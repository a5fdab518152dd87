// Small helpers for the document. Text goes in as text, never as HTML, except through `cleaned`.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// HTML that the server has cleaned (rnb/view/clean.py). Nothing else may come here.
export function cleaned(node, html) {
  node.innerHTML = html;
  for (const link of node.querySelectorAll("a[href]")) link.target = "_blank";
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A message of ours, with what it quotes (`name`) as code.
export const spoken = (text) => text.split("`").map((part, place) => (place % 2 ? el("code", { text: part }) : part));

// How many cells there are of each status, what is wrong first. What runs is named by those who say this.
export function counted(counts) {
  const order = ["queued", "failed", "killed", "blocked", "cancelled", "done", "cached"];
  return order.filter((status) => counts[status]).map((status) => `${counts[status]} ${status === "queued" ? "waiting" : status}`);
}

export function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value < 0.0995) return `${Math.max(0, Math.round(value * 1000))} ms`;
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.round(value % 60) % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function bytes(value) {
  if (value === null || value === undefined) return "";
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// An address as text: `vscode://file/{path}:{line}:{column}` with its parts filled in.
export function editorLink(config, line, column = 1) {
  if (!config.editor || !config.file) return null;
  const path = encodeURI(config.file).replace(/[?#]/g, encodeURIComponent);
  const link = config.editor.replace("{path}", path).replace("{line}", line).replace("{column}", column);
  return /^\s*(javascript|data|vbscript):/i.test(link) ? null : link;
}

// Lets the browser draw and take input between pieces of long work.
export const breathe = () =>
  globalThis.scheduler?.yield ? scheduler.yield() : new Promise((resolve) => setTimeout(resolve, 0));

// Until what was drawn so far is on screen.
export const afterFrame = () =>
  new Promise((resolve) => {
    if (document.hidden) setTimeout(resolve, 0);
    else requestAnimationFrame(() => setTimeout(resolve, 0));
  });
