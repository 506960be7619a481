// What the API says of a form that was sent: below the field it is about, or above the buttons.
import { Refusal } from "./api";

export class FormTrouble {
  /// `fields`: the field of each name that the API may begin with, "question: empty".
  constructor(private readonly form: HTMLElement, private readonly trouble: HTMLElement, private readonly buttons: HTMLElement,
              private readonly fields: Record<string, HTMLElement>) {}

  /// Marks the field; "" takes it back.
  say(message: string): void {
    for (const field of this.form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    const [, name, rest] = /^([a-z_]+): (.*)$/s.exec(message) ?? [];
    const field = name === undefined ? undefined : this.fields[name];
    if (!field || field.offsetParent === null) {
      this.buttons.before(this.trouble);
      this.trouble.textContent = message;
      return;
    }
    (field.closest(".row") ?? field).after(this.trouble);
    this.trouble.textContent = rest!;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", this.trouble.id);
    field.focus();
  }

  /// `what` was changed by somebody else meanwhile: "this rule".
  sayError(error: unknown, what: string): void {
    const stale = error instanceof Refusal && error.status === 412;
    this.say(stale ? `Somebody else changed ${what}: close this and look again.`
             : error instanceof Refusal ? error.message : "The gateway cannot be reached.");
  }
}
