// Python in colour: a small reader of tokens, run when somebody unfolds a cell. It only tints; it need not be right.

const WORDS = new Set(
  ("False None True and as assert async await break case class continue def del elif else except finally for from " +
    "global if import in is lambda match nonlocal not or pass raise return try while with yield").split(" "),
);
const TOKEN = /(#[^\n]*)|((?:[rbfut]{0,2})(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(@[\w.]+)|(\b\d[\w.]*)|([A-Za-z_]\w*)/gi;

export function paintCode(node, source) {
  node.replaceChildren();
  let place = 0;
  let before = "";
  for (const found of source.matchAll(TOKEN)) {
    const [text, comment, string, decorator, number, word] = found;
    let kind = comment ? "comment" : string ? "string" : decorator ? "decorator" : number ? "number" : "";
    if (word) kind = WORDS.has(word) ? "keyword" : before === "def" || before === "class" ? "name" : "";
    before = word ?? "";
    if (!kind) continue;
    node.append(source.slice(place, found.index));
    const span = document.createElement("span");
    span.className = `py-${kind}`;
    span.textContent = text;
    node.append(span);
    place = found.index + text.length;
  }
  node.append(source.slice(place));
}
