// The owner's rules: what each asks, when it alerts and who is told; made, changed and deleted here, in force with the next frame.
import { Api, Receiver, Refusal, Rule } from "./api";
import { EditDialog } from "./edit_dialog";
import { byId, lineButton, make, replaceLines, words } from "./element";
import { conditionText } from "./rule_words";
import { Ticks } from "./ticks";

const kGone = "a receiver that was removed";

export class RulesPanel {
  private rules: Rule[] = [];
  private says = "";  // what the list shows
  private readonly list = byId("rule-list");
  private readonly title = byId("rules-title");
  private readonly told = byId<HTMLSelectElement>("rule-told");
  private readonly receivers = new Ticks(byId("rule-receivers"));
  private readonly dialog: EditDialog<Rule>;
  private readonly shown = new Map<string, string>();  // what a number's field said at first: less exact than the rule
  private readonly gone = new AbortController();

  /// `receivers`: all there are now. `changed` is called after each change; `why` shows why a rule does not alert.
  constructor(api: Api, private readonly mayEdit: boolean, private readonly known: () => Receiver[], changed: () => Promise<void>,
              private readonly why: (rule: Rule) => void) {
    const fields: Record<string, HTMLElement> = {
      question: byId("rule-question"), expect: byId("rule-expect"), threshold: byId("rule-threshold"),
      unsure_band: byId("rule-threshold"), for_s: byId("rule-for"), enabled: byId("rule-enabled"), receivers: this.told,
    };
    this.dialog = new EditDialog<Rule>(api, mayEdit, {
      kind: "rule", path: "/v1/rules", goesToo: "", nameOf: (rule) => rule.question, fieldOf: (name) => fields[name],
      show: (rule) => this.fill(rule), read: (rule) => this.read(rule),
    }, changed);
    this.told.addEventListener("change", () => this.showWhom(), { signal: this.gone.signal });
  }

  close(): void {
    this.gone.abort();
    this.dialog.close();
    this.receivers.clear();
  }

  /// Those of before, where receivers may have got other names.
  showAgain(): void {
    if (this.rules.some((rule) => rule.receivers)) this.show(this.rules);
  }

  /// Whom it tells, where that is not everybody.
  private whomText(rule: Rule): string {
    if (!rule.receivers?.length) return "";
    const names = new Map(this.known().map((receiver) => [receiver.id, receiver.name]));
    return `tells ${rule.receivers.map((id) => names.get(id) ?? kGone).join(", ")}`;
  }

  show(rules: Rule[]): void {
    this.rules = rules;
    const says = JSON.stringify([rules, rules.map((rule) => this.whomText(rule))]);
    if (says === this.says) return;
    this.says = says;
    const lines = rules.map((rule) => {
      const line = make("li", rule.enabled ? "rule" : "rule off");
      const text = make("div", "");
      text.append(words("span", "question", rule.question), make("span", "quiet", rule.enabled ? `alerts at ${conditionText(rule)}` : "off"));
      const whom = this.whomText(rule);
      if (whom) text.append(words("span", "whom", whom));
      const buttons = make("div", "buttons");
      buttons.append(lineButton("Why?", `Why? ${rule.question}`, `why ${rule.id}`, () => this.why(rule)));
      if (this.mayEdit) buttons.append(lineButton("Edit", `Edit: ${rule.question}`, `edit ${rule.id}`, () => this.dialog.open(rule)));
      line.append(text, buttons);
      return line;
    });
    // Where the focus goes when the line that had it has gone.
    replaceLines(this.list, lines, this.mayEdit ? byId("add-rule") : this.title);
    byId("no-rules").hidden = lines.length > 0;
  }

  private field<T extends HTMLElement = HTMLInputElement>(name: string): T { return byId<T>(`rule-${name}`); }

  private fill(rule: Rule | null): void {
    this.field("question").value = rule?.question ?? "";
    this.field<HTMLSelectElement>("expect").value = rule?.expect ?? "yes";
    this.showNumber("threshold", Math.round(100 * (rule?.threshold ?? 0.7)));
    const counted = rule?.for_frames !== undefined;  // by frames, which is not for this form
    this.showNumber("for", rule ? rule.for_s ?? 0 : 2);
    this.field("for-row").hidden = counted;
    this.field("enabled").checked = rule?.enabled ?? true;
    const some = rule?.receivers ?? [], known = this.known();
    this.told.value = some.length > 0 ? "some" : "all";
    this.receivers.show(known.map((receiver) => ({ id: receiver.id, text: receiver.name })), some, kGone);
    this.field("told-row").hidden = known.length === 0 && some.length === 0;
    this.showWhom();
  }

  private showWhom(): void { this.receivers.root.hidden = this.told.value !== "some"; }

  private showNumber(name: string, value: number): void {
    this.field(name).value = String(value);
    this.shown.set(name, this.field(name).value);
  }

  /// Of a new rule, or changed by hand: a rule keeps what was not touched as it is.
  private isGiven(rule: Rule | null, name: string): boolean {
    return rule === null || this.field(name).value !== this.shown.get(name);
  }

  private read(rule: Rule | null): unknown {
    const wanted: Record<string, unknown> = {
      ...rule,
      question: this.field("question").value.trim(),
      expect: this.field<HTMLSelectElement>("expect").value,
      enabled: this.field("enabled").checked,
    };
    delete wanted["receivers"];  // without, it tells all
    if (this.told.value === "some") {
      const ticked = wanted["receivers"] = this.receivers.ticked();
      if (ticked.length === 0) throw new Refusal(400, "field", "receivers: tick at least one, or have it tell every receiver");
    }
    if (this.isGiven(rule, "threshold")) {
      const threshold = wanted["threshold"] = Number(this.field("threshold").value) / 100;
      // Which this form does not ask for, and which does not reach below 0.
      if (rule?.unsure_band !== undefined) wanted["unsure_band"] = Math.min(rule.unsure_band, threshold);
    }
    if (rule?.for_frames === undefined && this.isGiven(rule, "for")) wanted["for_s"] = Number(this.field("for").value);
    return wanted;
  }
}
