// The dialog in which a thing of the owner's is made, changed or deleted: a camera, a rule, a receiver, a device. Its
// elements have the kind in their ids: camera-dialog, camera-form, add-camera.
import { Api } from "./api";
import { byId, showDialog } from "./element";
import { FormTrouble } from "./form_trouble";
import { ask } from "./question";

export interface Editing<T> {
  kind: string;  // "camera", as in the ids
  path: string;  // of all of them: "/v1/cameras"
  nameOf(thing: T): string;
  /// What else goes when one is deleted, as a sentence; "": nothing.
  goesToo: string;
  /// The field of a name that the API begins an error with; "": it is about the address.
  fieldOf(name: string): HTMLElement | undefined;
  /// Fills the fields; null: a new one.
  show(thing: T | null): void;
  /// The body to send.
  read(thing: T | null): unknown;
  /// Sends it in another way than one POST or PUT.
  send?(thing: T | null, body: unknown): Promise<void>;
  /// The dialog is closed, and the API has answered with what was made or changed.
  saved?(answer: unknown): void;
}

export class EditDialog<T extends { id: string; version: number }> {
  private readonly dialog: HTMLDialogElement;
  private readonly form: HTMLFormElement;
  private readonly add: HTMLElement;
  private readonly trouble: FormTrouble;
  private readonly gone = new AbortController();
  private edited: T | null = null;  // null: a new one is being described

  /// `changed` is called after each attempt to change something.
  constructor(private readonly api: Api, mayEdit: boolean, private readonly how: Editing<T>, private readonly changed: () => Promise<void>) {
    const { kind } = how, on = { signal: this.gone.signal };
    const form = this.form = byId<HTMLFormElement>(`${kind}-form`);
    this.dialog = byId(`${kind}-dialog`);
    this.add = byId(`add-${kind}`);
    this.trouble = new FormTrouble(form, byId(`${kind}-trouble`), byId(`${kind}-buttons`), (name) => how.fieldOf(name));
    this.add.hidden = !mayEdit;
    this.add.addEventListener("click", () => this.open(null), on);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    }, on);
    this.dialog.addEventListener("close", () => {
      if (!this.dialog.open) form.reset();  // a password that was typed goes with it
    }, on);
    byId(`${kind}-cancel`).addEventListener("click", () => this.dialog.close(), on);
    byId(`${kind}-delete`).addEventListener("click", () => void this.delete(), on);
  }

  /// The page is left: what is under way shows nothing any more.
  close(): void {
    this.gone.abort();
    this.trouble.begin();
    this.dialog.close();
    this.form.reset();
    byId(`${this.how.kind}-dialog-title`).textContent = "";
  }

  open(thing: T | null): void {
    this.edited = thing;
    this.trouble.begin();
    byId(`${this.how.kind}-dialog-title`).textContent = `${thing ? "Edit" : "New"} ${this.how.kind}`;
    byId(`${this.how.kind}-delete`).hidden = thing === null;
    this.how.show(thing);
    showDialog(this.dialog, this.add);
  }

  private async save(): Promise<void> {
    const { path } = this.how, thing = this.edited;
    let answer: unknown;
    await this.attempt(async () => {
      const body = this.how.read(thing);
      if (this.how.send) await this.how.send(thing, body);
      else if (thing) answer = await this.api.send("PUT", `${path}/${thing.id}`, body, thing.version);
      else answer = await this.api.send("POST", path, body);
    });
    if (answer !== undefined && !this.gone.signal.aborted) this.how.saved?.(answer);
  }

  private async delete(): Promise<void> {
    const { kind, path, goesToo } = this.how, thing = this.edited;
    if (!thing || !await ask(`Delete the ${kind} “${this.how.nameOf(thing)}”? ${goesToo}`.trim(), "Delete")) return;
    if (!this.gone.signal.aborted) await this.attempt(() => this.api.send("DELETE", `${path}/${thing.id}`, undefined, thing.version));
  }

  /// Closes the dialog when the change is made; else it says what is wrong.
  private async attempt(change: () => Promise<unknown>): Promise<void> {
    await this.trouble.attempt(`this ${this.how.kind}`, change);
    if (!this.gone.signal.aborted) await this.changed();
  }
}
