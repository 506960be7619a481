// What came of a receiver's messages: counts, the newest, and those that wait. Read on from what is settled.
import { Api, Delivery } from "./api";
import { timeOfDay } from "./element";

const kPageLength = 1000;
const kMaxPages = 20;  // of deliveries of one receiver that are counted
const kNewest = 50;

export class Tally {
  delivered = 0;
  dead = 0;
  ahead = 0;    // delivered behind one that waits
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

  text(): string {
    const counts = [`${this.delivered + this.ahead} delivered`];
    if (this.pending.length > 0) counts.push(`${this.pending.length} waiting`);
    if (this.dead > 0) counts.push(`${this.dead} given up`);
    return counts.join(" · ");
  }
}

export function deliveryKind(delivery: Delivery): string {
  return delivery.type === "alert.fired" ? "alert" : delivery.type === "alert.resolved" ? "over"
       : delivery.type === "alert.updated" ? "goes on" : delivery.type;
}

export function deliveryText(delivery: Delivery): string {
  return delivery.state === "delivered" ? `delivered ${timeOfDay(delivery.finished ?? delivery.created)}`
       : delivery.state === "dead" ? `given up: ${delivery.error}`
       : delivery.error ? `again at ${timeOfDay(delivery.next ?? delivery.created)}: ${delivery.error}` : "on its way";
}
