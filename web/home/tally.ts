// What came of a receiver's messages: counts, the newest, and those that wait. Read on from what is settled.
import { Api, Delivery } from "./api";
import { timeOfDay } from "./element";

const kPageLength = 1000;
const kMaxPages = 20;  // of deliveries of one receiver that are counted
const kNewest = 50;

interface Counts { delivered: number; dead: number }

function countsOf(finished: Delivery[]): Counts {
  const dead = finished.filter((delivery) => delivery.state === "dead").length;
  return { delivered: finished.length - dead, dead };
}

export class Tally {
  private before: Counts = { delivered: 0, dead: 0 };  // up to `settled`
  private behind: Counts = { delivered: 0, dead: 0 };  // the first that waits: read, and counted, again
  private settled = 0;   // the id up to which all deliveries are finished, and counted
  private starts = 0;
  private started = 0;   // the start that the rest is of
  newest: Delivery[] = [];  // newest first
  pending: Delivery[] = [];

  get delivered(): number { return this.before.delivered + this.behind.delivered; }
  get dead(): number { return this.before.dead + this.behind.dead; }

  /// One that was counted waits again: the next reading counts all anew, and until then the counts are as they were. One
  /// that is under way changes nothing of that.
  startAgain(): void { ++this.starts; }

  /// Errors: nothing has changed then.
  async read(api: Api, receiver: string): Promise<void> {
    const start = this.starts, goesOn = start === this.started;
    const finished: Delivery[] = [], pending: Delivery[] = [];
    let after = goesOn ? this.settled : 0;
    for (let page = 0; page < kMaxPages; ++page) {
      const got = await api.get<{ items: Delivery[]; next: number | null }>(
        `/v1/receivers/${receiver}/deliveries?after=${after}&limit=${kPageLength}`);
      for (const delivery of got.items) (delivery.state === "pending" ? pending : finished).push(delivery);
      after = got.items.at(-1)?.id ?? after;
      if (got.next === null) break;
    }
    const first = pending[0]?.id ?? Infinity;
    const settled = finished.filter((delivery) => delivery.id < first), more = countsOf(settled);
    const { delivered, dead } = goesOn ? this.before : { delivered: 0, dead: 0 };
    this.before = { delivered: delivered + more.delivered, dead: dead + more.dead };
    this.behind = countsOf(finished.filter((delivery) => delivery.id > first));
    this.settled = settled.at(-1)?.id ?? (goesOn ? this.settled : 0);
    const all = new Map([...goesOn ? this.newest : [], ...finished, ...pending].map((delivery) => [delivery.id, delivery]));
    this.newest = [...all.values()].sort((a, b) => b.id - a.id).slice(0, kNewest);
    this.pending = pending;
    this.started = start;
  }

  text(): string {
    const counts = [`${this.delivered} delivered`];
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
