// Why a rule alerts or does not: how often each reason was given, and the newest frames one by one.
import { Api, Rule, Why } from "./api";
import { byId, make } from "./element";
import { reasonText } from "./reasons";

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
    clearInterval(this.timer);
    this.dialog.close();
  }

  open(rule: Rule): void {
    this.rule = rule;
    byId("why-title").textContent = rule.question;
    byId("why-path").textContent = `GET /v1/rules/${rule.id}/why`;
    byId("why-counts").replaceChildren();
    byId("why-newest").replaceChildren();
    this.dialog.showModal();
    clearInterval(this.timer);
    this.timer = window.setInterval(() => void this.refresh(), kRefreshEvery);
    void this.refresh();
  }

  private async refresh(): Promise<void> {
    const rule = this.rule;
    if (!rule) return;
    const why = await this.api.get<Why>(`/v1/rules/${rule.id}/why`).catch(() => null);  // it may be gone; the next asks again
    if (!why || this.rule !== rule) return;
    const counts = Object.entries(why.counts).sort(([, a], [, b]) => b - a);
    byId("why-counts").replaceChildren(...counts.map(([reason, count]) => {
      const line = make("li", "");
      line.append(make("b", "number", count.toLocaleString()), make("span", "", reasonText(reason)));
      return line;
    }));
    byId("why-newest").replaceChildren(...why.newest.map((outcome) => {
      const line = make("tr", outcome.phase);
      const p = typeof outcome.p_yes === "number" ? `${Math.round(100 * outcome.p_yes)} %` : "–";
      line.append(make("td", "quiet", new Date(outcome.time).toLocaleTimeString()), make("td", "", this.nameOf(outcome.camera)),
                  make("td", "number", p), make("td", "", reasonText(outcome.reason)));
      return line;
    }));
  }
}
