// Why a rule alerts or does not: how often each reason was given, and the newest frames one by one.
import { Api, Refusal, Rule, Why } from "./api";
import { byId, make, showDialog, timeOfDay, words } from "./element";
import { reasonText } from "./reasons";
import { conditionText } from "./rule_words";

const kRefreshEvery = 2000;

export class WhyDialog {
  private readonly dialog = byId<HTMLDialogElement>("why-dialog");
  private timer = 0;
  private rule: Rule | null = null;
  private readonly gone = new AbortController();

  constructor(private readonly api: Api, private readonly nameOf: (camera: string) => string) {
    byId("why-close").addEventListener("click", () => this.dialog.close(), { signal: this.gone.signal });
    this.dialog.addEventListener("close", () => clearInterval(this.timer), { signal: this.gone.signal });
  }

  close(): void {
    this.gone.abort();
    this.rule = null;
    clearInterval(this.timer);
    this.dialog.close();
    for (const part of ["title", "condition", "path", "counts", "newest", "trouble"]) byId(`why-${part}`).replaceChildren();
  }

  open(rule: Rule): void {
    this.rule = rule;
    byId("why-title").textContent = rule.question;
    byId("why-condition").textContent = rule.enabled ? `It alerts at ${conditionText(rule)}.` : "It is off.";
    byId("why-path").textContent = `GET /v1/rules/${rule.id}/why`;
    byId("why-counts").replaceChildren();
    byId("why-newest").replaceChildren();
    byId("why-trouble").textContent = "";
    showDialog(this.dialog, byId("rules-title"));
    clearInterval(this.timer);
    this.timer = window.setInterval(() => void this.refresh(), kRefreshEvery);
    void this.refresh();
  }

  private async refresh(): Promise<void> {
    const rule = this.rule;
    if (!rule) return;
    let why: Why;
    try {
      why = await this.api.get<Why>(`/v1/rules/${rule.id}/why`);
    } catch (error) {
      const gone = error instanceof Refusal && error.status === 404;
      if (gone) clearInterval(this.timer);
      if (this.rule === rule) byId("why-trouble").textContent = gone ? "This rule is no longer there." : "The gateway cannot be reached.";
      return;
    }
    if (this.rule !== rule) return;
    byId("why-trouble").textContent = "";
    const counts = Object.entries(why.counts).sort(([, a], [, b]) => b - a);
    byId("why-counts").replaceChildren(...counts.map(([reason, count]) => {
      const line = make("li", "");
      line.append(make("b", "number", count.toLocaleString()), make("span", "", reasonText(reason)));
      return line;
    }));
    byId("why-newest").replaceChildren(...why.newest.map((outcome) => {
      const line = make("tr", outcome.phase);
      const p = typeof outcome.p_yes === "number" ? `${Math.round(100 * outcome.p_yes)} %` : "–";
      line.append(make("td", "quiet", timeOfDay(outcome.time)), words("td", "", this.nameOf(outcome.camera)),
                  make("td", "number", p), make("td", "", reasonText(outcome.reason)));
      return line;
    }));
  }
}
