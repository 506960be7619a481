// What to do first, for who has no camera or no rule yet: a camera, a rule, and where to be told.
import { byId } from "./element";

const kSteps = ["camera", "rule", "receiver"] as const;
export type Step = typeof kSteps[number];

export class FirstSteps {
  private readonly root = byId("first-steps");
  private readonly gone = new AbortController();

  /// Each step's button does what the "Add" of its list does.
  constructor(private readonly mayEdit: boolean) {
    for (const step of kSteps) byId(`first-${step}`).addEventListener("click", () => byId(`add-${step}`).click(), { signal: this.gone.signal });
  }

  close(): void {
    this.gone.abort();
    this.root.hidden = true;
  }

  /// `has`: of which there is one at least.
  show(has: Record<Step, boolean>): void {
    const next = kSteps.find((step) => !has[step]), held = kSteps.find((step) => document.activeElement === byId(`first-${step}`));
    for (const step of kSteps) {
      const button = byId(`first-${step}`), line = button.closest("li")!;
      line.classList.toggle("done", has[step]);
      button.classList.toggle("primary", step === next);
      button.hidden = has[step];
      byId(`first-${step}-done`).hidden = !has[step];
    }
    this.root.hidden = !this.mayEdit || (has.camera && has.rule);
    if (held && (has[held] || this.root.hidden)) byId(next && !this.root.hidden ? `first-${next}` : `add-${held}`).focus();
  }
}
