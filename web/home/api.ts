// The gateway's API as the page uses it: fetches with the visitor's token, and the live stream.

export interface Camera {
  id: string; name: string; labels: Record<string, string>; enabled: boolean; version: number; fps: number;
  source: string | null;  // without its password
  device: string | null;  // that sends its frames
}
export interface Device { id: string; name: string; version: number; created: string }
export interface Credential { id: string; device: string | null; expires: string | null; revoked: string | null }
/// A secret that is in this answer and in no other.
export interface Shown { token: string }
export interface Rule {
  id: string; question: string; expect?: string; threshold?: number; unsure_band?: number; for_s?: number; for_frames?: number;
  of_frames?: number; enabled: boolean; version: number;
  receivers?: string[];  // none: all
}
export interface Alert {
  id: string; camera: string; rule: string; severity: string; state: string; fired: string; resolved: string | null;
  detail: { question?: string; expect?: string; threshold?: number; p_yes?: number };
}
export interface Outcome { rule: string; p_yes?: number | null; verdict?: string | null; reason: string; phase: string }
export interface Past extends Omit<Outcome, "rule"> { camera: string; time: string }
/// Of GET /v1/rules/{id}/why: the newest outcomes, newest first.
export interface Why { counts: Record<string, number>; newest: Past[] }
export interface FrameResult {
  frame: string; camera: string; time: string; asked: boolean; trouble?: { reason: string; message: string };
  answers: { question: string; answer: string; p_yes: number }[]; rules: Outcome[]; pool?: string; total_ms: number;
}
/// Of GET /v1/stats, as far as the page reads it.
export interface Stats { stats: { cameras: { camera: string; newest_time: string | null }[] }; sources: Source[] }
/// How a camera is doing whose frames are fetched.
export interface Source { camera: string; state: "starting" | "running" | "waiting" | "ended"; last_error?: string; last_refusal?: string }
export interface Receiver {
  id: string; name: string; kind: string; active: boolean; reason: string; version: number;
  config: Record<string, unknown>;  // without its secrets
}
export interface Delivery {
  id: number; type: string; state: "pending" | "delivered" | "dead"; attempts: number; next: string | null; error: string; created: string;
  finished: string | null;
}
export interface Notice {
  type: string; alert: string; camera: string; rule: string; time: string; since: string; severity: string; question: string;
  expect: string; threshold: number; p_yes: number | null;
}

/// What the API said no with.
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, detail: string) { super(detail); }
}

export class Api {
  constructor(private readonly token: string) {}

  private async fetch(path: string, how: RequestInit = {}): Promise<Response> {
    const response = await fetch(path, { ...how, headers: { ...how.headers, Authorization: `Bearer ${this.token}` } });
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
    throw new Refusal(response.status, problem.code ?? "", problem.detail ?? response.statusText);
  }

  async get<T>(path: string): Promise<T> { return (await (await this.fetch(path)).json()) as T; }
  async picture(camera: string): Promise<Blob> { return await (await this.fetch(`/v1/cameras/${camera}/frame`)).blob(); }

  /// POST, PUT or DELETE; `version` is the one that was read, so that nobody else's change is undone (412).
  async send<T>(method: string, path: string, body?: unknown, version?: number): Promise<T> {
    const headers: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
    if (version !== undefined) headers["If-Match"] = `"${version}"`;
    const response = await this.fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /// All items of a list, page by page, at most so many.
  async list<T>(path: string, most: number): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null = ""; cursor !== null && items.length < most; ) {
      const separator = path.includes("?") ? "&" : "?";
      const page: { items: T[]; next: string | null } = await this.get(path + separator + (cursor ? `cursor=${cursor}` : "limit=100"));
      items.push(...page.items);
      cursor = page.next;
    }
    return items.slice(0, most);
  }

  /// Waits for `opened`, then tells `on` of every event since the stream was opened, one after the other, until the
  /// stream ends, which it does when the server or the network goes. What comes while one of them takes its time waits
  /// at the server, which drops the oldest, and says so, when it is too much.
  async live(on: (name: string, data: string) => Promise<void>, signal: AbortSignal, opened: () => Promise<void>): Promise<void> {
    const response = await this.fetch("/v1/live", { signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    try {
      await opened();
      await Api.readEvents(reader, on);
    } finally {
      void reader.cancel().catch(() => undefined);  // it may have ended already
    }
  }

  private static async readEvents(reader: ReadableStreamDefaultReader<string>,
                                  on: (name: string, data: string) => Promise<void>): Promise<void> {
    let held = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      held += value;
      for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
        const message = held.slice(0, end);
        held = held.slice(end + 2);
        let name = "message";
        const data: string[] = [];
        for (const line of message.split("\n")) {
          if (line.startsWith("event: ")) name = line.slice(7);
          if (line.startsWith("data: ")) data.push(line.slice(6));
        }
        if (data.length > 0) await on(name, data.join("\n"));
      }
    }
  }
}
