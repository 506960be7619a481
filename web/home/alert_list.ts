// The alerts, the newest first: what was asked, where, how sure the answer was, and since when.
import { lineButton, make, replaceLines, timeOfDay, words } from "./element";
import { percent, sureText } from "./rule_words";

export interface AlertLine {
  id: string; camera: string; rule: string; question: string; severity: string; fired: string; resolved: string | null;
  expect?: string | undefined; threshold?: number | undefined;
  p_yes?: number | null | undefined;  // of the newest frame that was asked about
}

class Line {
  readonly root = make("li", "");
  private readonly question = words("span", "question", "");
  private readonly camera = words("span", "", "");
  private readonly sure = make("span", "sure", "");
  private readonly time = make("time", "quiet", "");

  constructor(private readonly alert: AlertLine, why: () => void) {
    const head = make("div", "head");
    head.append(this.question, lineButton("Why?", `Why this alert? ${alert.question}`, `alert ${alert.id}`, why));
    const where = make("div", "where");
    where.append(this.camera, this.sure);
    this.root.append(head, where, this.time);
  }

  /// Of a camera that is there no longer, the name that it had stays.
  rename(names: Map<string, string>): void {
    this.camera.textContent = names.get(this.alert.camera) ?? (this.camera.textContent || this.alert.camera);
  }

  show(alert: AlertLine, names: Map<string, string>): void {
    this.root.className = `alert ${alert.severity} ${alert.resolved ? "over" : "open"}`;
    this.question.textContent = alert.question;
    this.rename(names);
    // What is known of one that is over is the answer that ended it.
    if (!alert.resolved && alert.expect && typeof alert.p_yes === "number") {
      const at = typeof alert.threshold === "number" ? `, alerts at ${percent(alert.threshold)}` : "";
      this.sure.textContent = sureText(alert.expect, alert.p_yes) + at;
    }
    this.sure.hidden = this.sure.textContent === "";
    this.time.textContent = timeOfDay(alert.fired) + (alert.resolved ? ` – ${timeOfDay(alert.resolved)}` : " · now");
  }
}

export class AlertList {
  private readonly lines = new Map<string, Line>();
  private readonly open = new Set<string>();

  /// `why` shows the reasons of an alert's rule; `names`: of the cameras.
  constructor(private readonly list: HTMLElement, private readonly none: HTMLElement, private readonly most: number,
              private readonly why: (alert: AlertLine) => void, private readonly names: Map<string, string>) {}

  /// All there are, the newest first. A line that is there already stays, and so does the focus.
  reset(alerts: AlertLine[]): void {
    const before = new Map(this.lines);
    this.lines.clear();
    this.open.clear();
    const roots = alerts.map((alert) => this.take(alert, before.get(alert.id)).root);
    if (roots.length !== this.list.childElementCount || roots.some((root, i) => root !== this.list.children[i])) {
      replaceLines(this.list, roots, this.list);
    }
    this.none.hidden = roots.length > 0;
    this.title();
  }

  /// Cameras may have got other names.
  rename(): void {
    for (const line of this.lines.values()) line.rename(this.names);
  }

  /// A new one comes first; one that is there is changed.
  put(alert: AlertLine): void {
    const before = this.lines.get(alert.id);
    const line = this.take(alert, before);
    if (!before) this.list.prepend(line.root);
    this.none.hidden = true;
    while (this.list.childElementCount > this.most) this.list.lastElementChild!.remove();
    if (this.lines.size > 2 * this.most) {
      for (const [id, kept] of this.lines) if (!kept.root.isConnected) this.forget(id);
    }
    this.title();
  }

  private take(alert: AlertLine, before: Line | undefined): Line {
    const line = before ?? new Line(alert, () => this.why(alert));
    this.lines.set(alert.id, line);
    line.show(alert, this.names);
    if (alert.resolved) this.open.delete(alert.id);
    else this.open.add(alert.id);
    return line;
  }

  private forget(id: string): void {
    this.lines.delete(id);
    this.open.delete(id);
  }

  /// How many go on, for who has this page in a tab behind others.
  private title(): void { document.title = this.open.size > 0 ? `(${this.open.size}) Pawsight` : "Pawsight"; }
}
