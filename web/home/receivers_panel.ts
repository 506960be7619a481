// Who is told of alerts, and what came of it: each receiver with its deliveries.
import { Api, Delivery, Receiver } from "./api";
import { byId, make, timeOfDay, words } from "./element";

const kPageLength = 1000;
const kMaxPages = 20;       // of deliveries of one receiver that are counted
const kPendingEvery = 2000;
const kQuietEvery = 15_000;
const kNewest = 5;

class Tally {
  delivered = 0;
  dead = 0;
  settled = 0;  // the id up to which all deliveries are finished, and counted
  newest: Delivery[] = [];  // newest first
  pending: Delivery[] = [];

  async read(api: Api, receiver: string): Promise<void> {
    const finished: Delivery[] = [];
    this.pending = [];
    let after = this.settled;
    for (let page = 0; page < kMaxPages; ++page) {
      const got = await api.get<{ items: Delivery[]; next: number | null }>(
        `/v1/receivers/${receiver}/deliveries?after=${after}&limit=${kPageLength}`);
      for (const delivery of got.items) (delivery.state === "pending" ? this.pending : finished).push(delivery);
      after = got.items.at(-1)?.id ?? after;
      if (got.next === null) break;
    }
    // What is behind the first that waits is read, and counted, again.
    const first = this.pending[0]?.id ?? Infinity;
    const behind = finished.filter((delivery) => delivery.id >= first);
    for (const delivery of finished) {
      if (delivery.id >= first) continue;
      if (delivery.state === "dead") ++this.dead;
      else ++this.delivered;
      this.settled = delivery.id;
    }
    const all = new Map([...this.newest, ...finished, ...this.pending].map((delivery) => [delivery.id, delivery]));
    this.newest = [...all.values()].sort((a, b) => b.id - a.id).slice(0, kNewest);
    this.ahead = behind.filter((delivery) => delivery.state === "delivered").length;
  }
  ahead = 0;  // delivered behind one that waits
}

export class ReceiversPanel {
  private receivers: Receiver[] = [];
  private readonly tallies = new Map<string, Tally>();
  private timer = 0;
  private reading = false;
  private again = false;  // something happened while it read
  private closed = false;

  constructor(private readonly api: Api) {}

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /// Soon: an alert was told, or the page was opened.
  async refresh(): Promise<void> {
    if (this.closed) return;
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    clearTimeout(this.timer);
    try {
      this.receivers = await this.api.list<Receiver>("/v1/receivers", 100);
      const there = new Set(this.receivers.map((receiver) => receiver.id));
      for (const id of [...this.tallies.keys()]) if (!there.has(id)) this.tallies.delete(id);
      for (const receiver of this.receivers) {
        let tally = this.tallies.get(receiver.id);
        if (!tally) this.tallies.set(receiver.id, tally = new Tally());
        await tally.read(this.api, receiver.id);
      }
      if (this.closed) return;
      this.show();
    } catch {
      // The next round tries again.
    }
    this.reading = false;
    if (this.closed) return;
    const waits = [...this.tallies.values()].some((tally) => tally.pending.length > 0);
    this.timer = window.setTimeout(() => void this.refresh(), this.again || waits ? kPendingEvery : kQuietEvery);
    this.again = false;
  }

  private show(): void {
    byId("receiver-list").replaceChildren(...this.receivers.map((receiver) => {
      const tally = this.tallies.get(receiver.id) ?? new Tally();
      const line = make("li", receiver.active ? "receiver" : "receiver off");
      line.append(words("span", "question", receiver.name || receiver.kind),
                  make("span", "quiet", receiver.active ? receiver.kind : `${receiver.kind}, off: ${receiver.reason || "switched off"}`));
      const counts = [`${tally.delivered + tally.ahead} delivered`];
      if (tally.pending.length > 0) counts.push(`${tally.pending.length} waiting`);
      if (tally.dead > 0) counts.push(`${tally.dead} given up`);
      line.append(make("span", "", counts.join(" · ")));
      const list = make("ul", "deliveries");
      for (const delivery of tally.newest) list.append(this.lineOf(delivery));
      line.append(list);
      return line;
    }));
    byId("no-receivers").hidden = this.receivers.length > 0;
  }

  private lineOf(delivery: Delivery): HTMLElement {
    const what = delivery.type === "alert.fired" ? "alert" : delivery.type === "alert.resolved" ? "over" : delivery.type;
    const state = delivery.state === "delivered" ? `delivered ${timeOfDay(delivery.finished ?? delivery.created)}`
                : delivery.state === "dead" ? `given up: ${delivery.error}`
                : delivery.error ? `again at ${timeOfDay(delivery.next ?? delivery.created)}: ${delivery.error}` : "on its way";
    return words("li", `delivery ${delivery.state}`, `${what} · ${state}`);
  }
}
