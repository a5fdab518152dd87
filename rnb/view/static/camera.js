// What part of a drawing is seen: drag or wheel moves it, wheel with Ctrl (as a pinch comes) and + - zoom, 0 shows all.

const LEAST = 0.12;
const MOST = 2.5;
const WHOLE = 0.55; // what is seen whole at this zoom is shown whole

export class Camera {
  // `scene` is a <g> in `svg`; `size` is what it takes when it is not zoomed.
  constructor(svg, scene, size, least) {
    Object.assign(this, { svg, scene, size, least });
    this.x = this.y = 0;
    this.zoom = 1;
    this.touched = false;
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.grab(event));
    svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.touched || this.fit(this.least)).observe(svg);
  }

  // All of it; where that would be smaller than `WHOLE`, its top, no smaller than `least`.
  fit(least = LEAST) {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width || !height) return;
    const all = Math.min(1.15, width / this.size.width, height / this.size.height);
    this.zoom = all < WHOLE ? Math.max(least, all) : all;
    this.x = (width - this.size.width * this.zoom) / 2;
    this.y = Math.max(0, (height - this.size.height * this.zoom) / 2);
    this.apply();
  }

  apply() {
    this.scene.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.zoom})`);
  }

  move(x, y) {
    this.touched = true;
    this.x += x;
    this.y += y;
    this.apply();
  }

  // Zooms so that what is at (x, y) stays there.
  scale(by, x, y) {
    const zoom = Math.max(LEAST, Math.min(MOST, this.zoom * by));
    this.x = x - ((x - this.x) * zoom) / this.zoom;
    this.y = y - ((y - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.touched = true;
    this.apply();
  }

  closer(by) {
    const { width, height } = this.svg.getBoundingClientRect();
    this.scale(by, width / 2, height / 2);
  }

  // Brings a place of the drawing into sight, if it is not there.
  show({ x, y, width, height }) {
    const box = this.svg.getBoundingClientRect();
    const [left, top] = [this.x + (x - width / 2) * this.zoom, this.y + (y - height / 2) * this.zoom];
    const inside = left >= 0 && top >= 0 && left + width * this.zoom <= box.width && top + height * this.zoom <= box.height;
    if (inside) return;
    this.x = box.width / 2 - x * this.zoom;
    this.y = box.height / 2 - y * this.zoom;
    this.apply();
  }

  wheel(event) {
    event.preventDefault();
    const box = this.svg.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) this.scale(Math.exp(-event.deltaY / 200), event.clientX - box.x, event.clientY - box.y);
    else this.move(-event.deltaX, -event.deltaY);
  }

  grab(event) {
    if (event.button !== 0) return;
    let [x, y] = [event.clientX, event.clientY];
    let moved = false;
    const drag = (event) => {
      const [dx, dy] = [event.clientX - x, event.clientY - y];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      if (!moved) this.svg.setPointerCapture(event.pointerId);
      moved = true;
      [x, y] = [event.clientX, event.clientY];
      this.move(dx, dy);
    };
    const stop = () => {
      this.svg.removeEventListener("pointermove", drag);
      // the click that ends a drag opens nothing
      if (moved) addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
    };
    this.svg.addEventListener("pointermove", drag);
    addEventListener("pointerup", stop, { once: true });
    addEventListener("pointercancel", stop, { once: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
    if (moves[event.key]) this.move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.closer(1.25);
    else if (event.key === "-") this.closer(0.8);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }
}
