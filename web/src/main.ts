// The live page: one stream of events in, the page kept in step with it.
import { type Alert, type FrameMessage, type State, applyAlert, applyFrame } from "./model";
import { View } from "./view";

const view = new View();
let state: State | null = null;
let lastMessage = 0;

function start(fresh: State): void {
  state = fresh;
  view.reset(fresh);
}

/** Messages were dropped on the way: ask for everything. */
async function refetch(): Promise<void> {
  const response = await fetch("/api/v1/state");
  if (response.ok) start((await response.json()) as State);
}

function onFrame(message: FrameMessage): void {
  if (!state) return;
  applyFrame(state, message);
  view.update(state);
  view.asked(message.trouble ?? (message.asked ? `answered in ${Math.round(message.ask_ms)} ms` : "unchanged, not asked"));
}

function onAlert(alert: Alert): void {
  if (!state) return;
  const before = state.alerts.length;
  applyAlert(state, alert);
  if (state.alerts.length !== before || state.alerts[0] === alert) view.addAlert(alert);
}

function listen(): void {
  const stream = new EventSource("/events");
  const on = <T>(name: string, handle: (data: T) => void): void => {
    stream.addEventListener(name, (event) => {
      lastMessage = Date.now();
      view.link("live", "live");
      handle(JSON.parse((event as MessageEvent<string>).data) as T);
    });
  };
  on<State>("state", start);
  on<FrameMessage>("frame", onFrame);
  on<Alert>("alert", onAlert);
  on<unknown>("dropped", () => void refetch());
  stream.onerror = () => {
    view.link("lost", "connection lost, trying again");
    // The browser tries again by itself, but not after an answer that is no stream (too many pages open).
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

setInterval(() => {
  if (lastMessage > 0 && Date.now() - lastMessage > 20_000) view.link("lost", "no frame for a while");
}, 2000);

listen();
