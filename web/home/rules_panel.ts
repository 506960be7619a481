// The owner's rules: what each asks and when it alerts; made, changed and deleted here, in force with the next frame.
import { Api, Rule } from "./api";
import { byId, lineButton, make, replaceLines, showDialog, words } from "./element";
import { FormTrouble } from "./form_trouble";
import { conditionText } from "./rule_words";

export class RulesPanel {
  private readonly list = byId("rule-list");
  private readonly dialog = byId<HTMLDialogElement>("rule-dialog");
  private readonly form = byId<HTMLFormElement>("rule-form");
  private readonly trouble = new FormTrouble(this.form, byId("rule-trouble"), byId("rule-buttons"), {
    question: byId("rule-question"), expect: byId("rule-expect"), threshold: byId("rule-threshold"),
    unsure_band: byId("rule-threshold"), for_s: byId("rule-for"), enabled: byId("rule-enabled"),
  });
  private readonly title = byId("rules-title");
  private edited: Rule | null = null;  // null: a new one is being written
  private readonly shown = new Map<string, string>();  // what a number's field said at first: less exact than the rule
  private readonly gone = new AbortController();

  /// `changed` is called after each change; `why` shows why a rule does not alert.
  constructor(private readonly api: Api, private readonly mayEdit: boolean, private readonly changed: () => Promise<void>,
              private readonly why: (rule: Rule) => void) {
    const on = { signal: this.gone.signal };
    const add = byId("add-rule");
    add.hidden = !mayEdit;
    add.addEventListener("click", () => this.edit(null), on);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    }, on);
    byId("rule-cancel").addEventListener("click", () => this.dialog.close(), on);
    byId("rule-delete").addEventListener("click", () => void this.delete(), on);
  }

  close(): void {
    this.gone.abort();
    this.trouble.begin();
    this.dialog.close();
  }

  show(rules: Iterable<Rule>): void {
    const lines = [...rules].map((rule) => {
      const line = make("li", rule.enabled ? "rule" : "rule off");
      const text = make("div", "");
      text.append(words("span", "question", rule.question), make("span", "quiet", rule.enabled ? `alerts at ${conditionText(rule)}` : "off"));
      const buttons = make("div", "buttons");
      buttons.append(lineButton("Why?", `Why? ${rule.question}`, `why ${rule.id}`, () => this.why(rule)));
      if (this.mayEdit) buttons.append(lineButton("Edit", `Edit: ${rule.question}`, `edit ${rule.id}`, () => this.edit(rule)));
      line.append(text, buttons);
      return line;
    });
    replaceLines(this.list, lines, this.otherwise());
    byId("no-rules").hidden = lines.length > 0;
  }

  /// Where the focus goes when the line that had it has gone.
  private otherwise(): HTMLElement { return this.mayEdit ? byId("add-rule") : this.title; }

  private field<T extends HTMLElement = HTMLInputElement>(name: string): T { return byId<T>(`rule-${name}`); }

  private edit(rule: Rule | null): void {
    this.edited = rule;
    this.trouble.begin();
    byId("rule-dialog-title").textContent = rule ? "Edit rule" : "New rule";
    byId("rule-delete").hidden = rule === null;
    this.field("question").value = rule?.question ?? "";
    this.field<HTMLSelectElement>("expect").value = rule?.expect ?? "yes";
    this.showNumber("threshold", Math.round(100 * (rule?.threshold ?? 0.7)));
    const counted = rule?.for_frames !== undefined;  // by frames, which is not for this form
    this.showNumber("for", rule ? rule.for_s ?? 0 : 2);
    this.field("for-row").hidden = counted;
    this.field("enabled").checked = rule?.enabled ?? true;
    showDialog(this.dialog, this.otherwise());
  }

  private showNumber(name: string, value: number): void {
    this.field(name).value = String(value);
    this.shown.set(name, this.field(name).value);
  }

  /// Of a new rule, or changed by hand: a rule keeps what was not touched as it is.
  private isGiven(name: string): boolean {
    return this.edited === null || this.field(name).value !== this.shown.get(name);
  }

  private async save(): Promise<void> {
    const edited = this.edited;
    const wanted: Record<string, unknown> = {
      ...edited,
      question: this.field("question").value.trim(),
      expect: this.field<HTMLSelectElement>("expect").value,
      enabled: this.field("enabled").checked,
    };
    if (this.isGiven("threshold")) {
      const threshold = wanted["threshold"] = Number(this.field("threshold").value) / 100;
      // Which this form does not ask for, and which does not reach below 0.
      if (edited?.unsure_band !== undefined) wanted["unsure_band"] = Math.min(edited.unsure_band, threshold);
    }
    if (edited?.for_frames === undefined && this.isGiven("for")) wanted["for_s"] = Number(this.field("for").value);
    await this.attempt(edited ? () => this.api.send("PUT", `/v1/rules/${edited.id}`, wanted, edited.version)
                              : () => this.api.send("POST", "/v1/rules", wanted));
  }

  private async delete(): Promise<void> {
    const edited = this.edited;
    if (edited) await this.attempt(() => this.api.send("DELETE", `/v1/rules/${edited.id}`));
  }

  private async attempt(change: () => Promise<unknown>): Promise<void> {
    await this.trouble.attempt("this rule", change);
    await this.changed();
  }
}
