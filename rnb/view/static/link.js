// The connection: server-sent events, resumed by their id. Lost connections come back with growing pauses.

const LONGEST = 20_000;
const SILENCE = 40_000; // the server gives a sign of life every 15 s

export class Link {
  // `take(messages)` gets parsed messages in order, `snapshot(body)` a whole state, `say(word)` the state of the line.
  // `from` is a snapshot that is known already, or null.
  constructor(url, { take, snapshot, say }, from) {
    Object.assign(this, { url, take, snapshot, say });
    this.last = from ? String(from.seq) : null;
    this.epoch = from?.epoch ?? null;
    this.pause = 500;
    this.timer = null;
    addEventListener("online", () => this.soon());
    document.addEventListener("visibilitychange", () => document.hidden || this.soon());
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.timer = null;
    const query = this.last === null ? "" : `?after=${this.last}&epoch=${this.epoch}`;
    this.source?.close();
    this.source = new EventSource(this.url + query);
    this.alive();
    this.source.addEventListener("beat", () => this.alive());
    this.source.onopen = () => {
      this.pause = 500;
      this.say("");
    };
    this.source.onmessage = (event) => {
      this.alive();
      if (event.lastEventId) this.last = event.lastEventId;
      this.take(JSON.parse(event.data));
    };
    this.source.addEventListener("snapshot", (event) => {
      this.alive();
      const body = JSON.parse(event.data);
      this.last = String(body.seq);
      this.epoch = body.epoch;
      this.snapshot(body);
    });
    this.source.onerror = () => this.lost();
  }

  alive() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(), SILENCE);
  }

  lost() {
    this.source.close();
    clearTimeout(this.silence);
    if (this.timer !== null) return;
    const wait = this.pause * (0.75 + Math.random() / 2);
    this.say(this.pause > 4000 ? `Not connected; trying again in ${Math.round(wait / 1000)} s` : "Reconnecting …");
    this.timer = setTimeout(() => this.open(), wait);
    this.pause = Math.min(LONGEST, this.pause * 2);
  }

  soon() {
    if (this.source.readyState === EventSource.OPEN) return;
    this.pause = 500;
    this.open();
  }
}
