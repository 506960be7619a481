// One rule on one camera's card: its question, the answer now and over time, and why it alerts or does not.
import { Chart, Plotted } from "./chart";
import { Outcome, Rule } from "./api";
import { make, words } from "./element";
import { reasonText } from "./reasons";
import { conditionText, sureText } from "./rule_words";

const kMaxPoints = 600;

export class RuleRow {
  readonly root = make("li", "answer");
  private readonly question: HTMLElement;
  private readonly number = make("span", "number", "–");
  private readonly reason = make("span", "reason quiet");
  private readonly plotted: Plotted;
  private readonly chart: Chart;
  private newest = -Infinity;  // time of what is shown

  constructor(rule: string, private readonly known: Rule | undefined) {
    this.plotted = {
      expect: known?.expect === "no" ? "no" : "yes", threshold: known?.threshold ?? 0.7, unsure_band: known?.unsure_band ?? 0,
      points: [],
    };
    this.chart = new Chart(this.plotted);
    this.question = words("span", "question", known?.question ?? rule);
    const plot = make("div", "plot");
    plot.append(this.chart.element);
    this.root.append(this.question, this.number, plot, this.reason);
  }

  get firing(): boolean { return this.root.classList.contains("firing"); }

  /// An outcome of before. One older than what is shown goes before it in the chart; of one shown already nothing comes.
  remember(outcome: Omit<Outcome, "rule">, timeMs: number): void {
    if (timeMs > this.newest) return this.show(outcome, timeMs);
    const { points } = this.plotted;
    if (typeof outcome.p_yes !== "number" || points.length >= kMaxPoints || points.some(([time]) => time === timeMs)) return;
    const after = points.findIndex(([time]) => time > timeMs);
    points.splice(after < 0 ? points.length : after, 0, [timeMs, this.shareOf(outcome.p_yes)]);
    this.chart.update(this.plotted, this.newest);
  }

  /// Of the answer that the rule waits for.
  private shareOf(pYes: number): number { return this.plotted.expect === "no" ? 1 - pYes : pYes; }

  show(outcome: Omit<Outcome, "rule">, timeMs: number): void {
    this.newest = timeMs;
    this.root.className = `answer ${outcome.phase}`;
    this.reason.textContent = reasonText(outcome.reason) + (this.known ? ` · alerts at ${conditionText(this.known)}` : "");
    if (typeof outcome.p_yes === "number") {
      this.plotted.points.push([timeMs, this.shareOf(outcome.p_yes)]);
      if (this.plotted.points.length > kMaxPoints) this.plotted.points.shift();
      this.number.textContent = sureText(this.plotted.expect, outcome.p_yes);
    }
    this.chart.update(this.plotted, timeMs);
  }
}
