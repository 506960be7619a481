// What the server sends (gateway/live_page.h) and how the page keeps it. No DOM here.

export type Phase = "inactive" | "pending" | "firing" | "resolved";
export type Point = [timeMs: number, pYes: number];

export interface Rule {
  id: string;
  question: string;
  expect: "yes" | "no";
  threshold: number;
  unsure_band: number;
  for_s: number;
  severity: "info" | "warning" | "critical";
  phase: Phase;
  reason: string;
  points: Point[];
}

export interface Alert {
  type: "alert.fired" | "alert.resolved";
  id: string;
  time: string;
  rule: string;
  question: string;
  expect: "yes" | "no";
  severity: Rule["severity"];
  p_yes: number | null;
  threshold: number;
  since?: string;
  fired_at?: string;
  alert: number;
  recorded: boolean;
}

export interface State {
  camera: string;
  source: string;
  backend: string;
  frame: number | null;
  time_ms: number | null;
  rules: Rule[];
  alerts: Alert[];
}

export interface FrameMessage {
  frame: number;
  time_ms: number;
  asked: boolean;
  ask_ms: number;
  trouble?: string;
  rules: { rule: string; p_yes: number | null; verdict: string | null; reason: string; phase: Phase }[];
}

const MAX_POINTS = 600;
const MAX_ALERTS = 100;

/** Takes a frame's outcomes into the state. */
export function applyFrame(state: State, message: FrameMessage): void {
  state.frame = message.frame;
  state.time_ms = message.time_ms;
  for (const outcome of message.rules) {
    const rule = state.rules.find((candidate) => candidate.id === outcome.rule);
    if (!rule) continue;
    rule.phase = outcome.phase;
    rule.reason = outcome.reason;
    const last = rule.points.at(-1);
    if (outcome.p_yes === null || (last && last[0] >= message.time_ms)) continue;
    rule.points.push([message.time_ms, outcome.p_yes]);
    if (rule.points.length > MAX_POINTS) rule.points.shift();
  }
}

/** Takes an alert in, once: after a reconnection the same may come again. */
export function applyAlert(state: State, alert: Alert): void {
  const same = (other: Alert) => other.rule === alert.rule && other.type === alert.type && other.alert === alert.alert;
  if (state.alerts.some(same)) return;
  state.alerts.unshift(alert);
  state.alerts.length = Math.min(state.alerts.length, MAX_ALERTS);
}

const REASONS: Record<string, string> = {
  undecodable: "the frame is no image",
  unanswered: "no answer came",
  late: "the frame came late",
  unchanged: "nothing changed, not asked",
  below_threshold: "",
  unsure: "not sure",
  pending: "waiting to be certain",
  cooldown: "quiet after the last alert",
  fired: "alert",
  firing: "alert",
  clearing: "ending",
  resolved: "over",
  guard: "the guard question says no",
  not_due: "not its turn",
  snoozed: "snoozed",
  replaced: "a newer frame came first",
  shed: "too much to do",
};

/** Why the newest frame made, or made no, alert: words for a person. */
export function reasonText(rule: Rule): string {
  return REASONS[rule.reason] ?? rule.reason;
}
