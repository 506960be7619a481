// One rule on one camera's card: its question, the answer now and over time, and why it alerts or does not.
import { Chart, Plotted } from "./chart";
import { Outcome, Rule } from "./api";
import { make, words } from "./element";
import { reasonText } from "./reasons";

const kMaxPoints = 600;

export class RuleRow {
  readonly root = make("li", "answer");
  private readonly question: HTMLElement;
  private readonly number = make("span", "number", "–");
  private readonly reason = make("span", "reason quiet");
  private readonly plotted: Plotted;
  private readonly chart: Chart;

  constructor(rule: string, known: Rule | undefined) {
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

  /// An answer of before the page was opened; the oldest first.
  remember(timeMs: number, p: number): void {
    this.plotted.points.push([timeMs, p]);
    if (this.plotted.points.length > kMaxPoints) this.plotted.points.shift();
  }

  show(outcome: Outcome, timeMs: number): void {
    this.root.className = `answer ${outcome.phase}`;
    this.reason.textContent = reasonText(outcome.reason);
    if (typeof outcome.p_yes === "number") {
      this.remember(timeMs, outcome.p_yes);
      this.number.textContent = `${Math.round(100 * outcome.p_yes)} %`;
    }
    this.chart.update(this.plotted, timeMs);
  }
}
