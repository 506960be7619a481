// A form in a dialog that is sent to the API, and what the API says of it: below the field it is about, or above the buttons.
import { Refusal } from "./api";

export class FormTrouble {
  private readonly dialog: HTMLDialogElement;
  private marked: { field: HTMLElement; describedBy: string | null } | null = null;
  private edits = 0;

  /// `fieldOf`: the field of a name that the API begins with, "question: empty".
  constructor(form: HTMLElement, private readonly trouble: HTMLElement, private readonly buttons: HTMLElement,
              private readonly fieldOf: (name: string) => HTMLElement | undefined) {
    this.dialog = form.closest("dialog")!;
  }

  /// Something else is edited from now on, or nothing: what comes of a change that is still under way is not shown.
  begin(): void {
    ++this.edits;
    this.block(false);
    this.say("");
  }

  /// Sends a change, once: who presses meanwhile sends nothing. Then the dialog closes, or says what is wrong with `what`: "this rule".
  async attempt(what: string, change: () => Promise<unknown>): Promise<void> {
    const mine = this.edits, held = document.activeElement as HTMLElement | null;
    this.block(true);
    try {
      await change();
      if (mine === this.edits) this.dialog.close();
    } catch (error) {
      if (mine !== this.edits) return;
      this.block(false);
      this.sayError(error, what);
      if (this.dialog.open && !this.dialog.contains(document.activeElement)) held?.focus();
    }
  }

  private block(blocked: boolean): void {
    for (const button of this.buttons.querySelectorAll<HTMLButtonElement>(".primary, .danger")) button.disabled = blocked;
  }

  /// Marks the field; "" takes it back.
  private say(message: string): void {
    if (this.marked) {
      const { field, describedBy } = this.marked;
      field.removeAttribute("aria-invalid");
      if (describedBy) field.setAttribute("aria-describedby", describedBy);
      else field.removeAttribute("aria-describedby");
      this.marked = null;
    }
    // Of an address that is no good, or a name that is not found, the API does not say which field it was.
    const [, name, rest] = /^(?:receiver\.)?([a-z_]+)(?:\[\d+\])?: (.*)$/s.exec(message) ?? /^()(the receiver's .*)$/s.exec(message) ?? [];
    const field = name === undefined ? undefined : this.fieldOf(name);
    const folded = field?.closest("details");
    if (folded) folded.open = true;
    if (!field || field.offsetParent === null) {
      this.buttons.before(this.trouble);
      this.trouble.textContent = message;
      return;
    }
    (field.closest(".row") ?? field).after(this.trouble);
    this.trouble.textContent = rest!;
    this.marked = { field, describedBy: field.getAttribute("aria-describedby") };
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", [this.marked.describedBy, this.trouble.id].filter(Boolean).join(" "));
    field.focus();
  }

  /// 412: `what` was changed by somebody else meanwhile.
  private sayError(error: unknown, what: string): void {
    const stale = error instanceof Refusal && error.status === 412;
    this.say(stale ? `Somebody else changed ${what}: close this and look again.`
             : error instanceof Refusal ? error.message : "The gateway cannot be reached.");
  }
}
