// The alerts, the newest first: what was asked, where, how sure the answer was, and since when.
import { lineButton, make, timeOfDay, words } from "./element";
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

  constructor(alert: AlertLine, why: () => void) {
    const head = make("div", "head");
    head.append(this.question, lineButton("Why?", `Why this alert? ${alert.question}`, `alert ${alert.id}`, why));
    const where = make("div", "where");
    where.append(this.camera, this.sure);
    this.root.append(head, where, this.time);
  }

  show(alert: AlertLine, camera: string): void {
    this.root.className = `alert ${alert.severity} ${alert.resolved ? "over" : "open"}`;
    this.question.textContent = alert.question;
    this.camera.textContent = camera;
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
  private names = new Map<string, string>();

  /// `why` shows the reasons of an alert's rule.
  constructor(private readonly list: HTMLElement, private readonly none: HTMLElement, private readonly most: number,
              private readonly why: (alert: AlertLine) => void) {}

  reset(names: Map<string, string>): void {
    this.names = names;
    this.lines.clear();
    this.open.clear();
    this.list.replaceChildren();
    this.none.hidden = false;
    this.title();
  }

  /// A new one comes first; one that is there is changed.
  put(alert: AlertLine): void {
    let line = this.lines.get(alert.id);
    if (!line) {
      line = new Line(alert, () => this.why(alert));
      this.lines.set(alert.id, line);
      this.list.prepend(line.root);
    }
    line.show(alert, this.names.get(alert.camera) ?? alert.camera);
    if (alert.resolved) this.open.delete(alert.id);
    else this.open.add(alert.id);
    this.none.hidden = true;
    while (this.list.childElementCount > this.most) this.list.lastElementChild!.remove();
    if (this.lines.size > 2 * this.most) {
      for (const [id, kept] of this.lines) if (!kept.root.isConnected) this.forget(id);
    }
    this.title();
  }

  private forget(id: string): void {
    this.lines.delete(id);
    this.open.delete(id);
  }

  /// How many go on, for who has this page in a tab behind others.
  private title(): void { document.title = this.open.size > 0 ? `(${this.open.size}) Pawsight` : "Pawsight"; }
}
