// Puts the state on the page. Text is set as text, never as HTML.
import { Chart } from "./chart";
import { type Alert, type Rule, type State, reasonText } from "./model";

function find<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element ${id}`);
  return element as T;
}

function make(name: string, className: string, text = ""): HTMLElement {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const percent = (p: number): string => `${Math.round(p * 100)} %`;

const PHASES: Record<Rule["phase"], string> = { inactive: "quiet", pending: "pending", firing: "alert", resolved: "over" };

class RuleCard {
  readonly element = make("article", "rule");
  private readonly answer = make("span", "answer", "–");
  private readonly certainty = make("span", "certainty quiet");
  private readonly phase = make("span", "phase");
  private readonly reason = make("span", "reason quiet");
  private readonly chart: Chart;

  constructor(rule: Rule) {
    this.chart = new Chart(rule);
    const head = make("div", "rule-head");
    head.append(make("h3", "", rule.question), this.phase);
    const body = make("div", "rule-body");
    const now = make("div", "now");
    now.append(this.answer, this.certainty);
    const plot = make("div", "plot");
    plot.append(this.chart.element);
    body.append(now, plot);
    const foot = make("div", "rule-foot");
    const hold = rule.for_s > 0 ? ` for ${rule.for_s} s` : "";
    foot.append(make("span", "quiet", `alerts at ${percent(rule.threshold)} ${rule.expect}${hold}`), this.reason);
    this.element.append(head, body, foot);
  }

  update(rule: Rule, nowMs: number): void {
    this.element.dataset.phase = rule.phase;
    this.phase.textContent = PHASES[rule.phase];
    this.reason.textContent = reasonText(rule);
    const last = rule.points.at(-1);
    if (!last) return;
    const yes = last[1] >= 0.5;
    this.answer.textContent = yes ? "yes" : "no";
    this.certainty.textContent = percent(yes ? last[1] : 1 - last[1]);
    this.chart.update(rule, nowMs);
  }
}

export class View {
  private image = find<HTMLImageElement>("frame");
  private readonly cards = new Map<string, RuleCard>();
  private loading = false;
  private wanted: number | null = null;

  /** Draws everything anew: at the start and after a reconnection. */
  reset(state: State): void {
    find("camera").textContent = state.camera;
    find("source").textContent = `${state.source} · ${state.backend}`;
    document.title = `${state.camera} · Pawsight`;
    this.cards.clear();
    find("rules").replaceChildren();
    for (const rule of state.rules) {
      const card = new RuleCard(rule);
      this.cards.set(rule.id, card);
      find("rules").append(card.element);
    }
    find("alerts").replaceChildren(...state.alerts.map((alert) => this.alertItem(alert)));
    find("no-alerts").hidden = state.alerts.length > 0;
    this.update(state);
  }

  update(state: State): void {
    const now = state.time_ms;
    if (now === null || state.frame === null) return;
    for (const rule of state.rules) this.cards.get(rule.id)?.update(rule, now);
    find("time").textContent = timeFormat.format(now);
    find("number").textContent = `frame ${state.frame}`;
    this.showFrame(state.frame);
  }

  asked(text: string): void {
    find("asked").textContent = text;
  }

  addAlert(alert: Alert): void {
    find("alerts").prepend(this.alertItem(alert));
    find("no-alerts").hidden = true;
  }

  link(state: "connecting" | "live" | "lost", text: string): void {
    const element = find("link");
    if (element.textContent === text) return;
    element.dataset.state = state;
    element.textContent = text;
  }

  /** Loads the newest frame, one at a time: a slow link skips frames instead of queueing them. */
  private showFrame(frame: number): void {
    this.wanted = frame;
    if (this.loading) return;
    this.loading = true;
    this.wanted = null;
    const done = (): void => {
      this.loading = false;
      if (this.wanted !== null) this.showFrame(this.wanted);
    };
    // The old frame stays until the new one is decoded; one that does not come leaves it there.
    const next = new Image();
    next.alt = this.image.alt;
    next.src = `/frame.jpg?n=${frame}`;
    next.decode().then(() => {
      this.image.replaceWith(next);
      this.image = next;
      find("waiting").hidden = true;
      done();
    }, done);
  }

  private alertItem(alert: Alert): HTMLElement {
    const item = make("li", "alert");
    const fired = alert.type === "alert.fired";
    item.dataset.type = fired ? "fired" : "resolved";
    item.dataset.severity = alert.severity;
    const text = make("div", "alert-text");
    text.append(make("strong", "", alert.question), make("span", "quiet", this.alertReason(alert)));
    const time = make("time", "", timeFormat.format(new Date(alert.time)));
    time.setAttribute("datetime", alert.time);
    item.append(make("span", "alert-kind", fired ? "alert" : "over"), text, time);
    return item;
  }

  private alertReason(alert: Alert): string {
    const p = alert.p_yes === null ? "" : percent(alert.expect === "yes" ? alert.p_yes : 1 - alert.p_yes);
    const seconds = (from: string | undefined): number => (from ? Math.round((Date.parse(alert.time) - Date.parse(from)) / 1000) : 0);
    const unrecorded = alert.recorded ? "" : " · not recorded yet";
    if (alert.type === "alert.resolved") return `no longer, after ${seconds(alert.fired_at)} s${unrecorded}`;
    const held = seconds(alert.since);
    return `${alert.expect} ${p}${held > 0 ? `, held for ${held} s` : ""}, threshold ${percent(alert.threshold)}${unrecorded}`;
  }
}
