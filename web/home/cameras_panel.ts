// The form of a camera: its name, and where its frames are fetched, if nobody sends them.
import { Api, Camera } from "./api";
import { byId, showDialog } from "./element";
import { FormTrouble } from "./form_trouble";

export class CamerasPanel {
  private readonly dialog = byId<HTMLDialogElement>("camera-dialog");
  private readonly form = byId<HTMLFormElement>("camera-form");
  private readonly name = byId<HTMLInputElement>("camera-name");
  private readonly source = byId<HTMLInputElement>("camera-source");
  private readonly fps = byId<HTMLInputElement>("camera-fps");
  private readonly trouble = new FormTrouble(this.form, byId("camera-trouble"), byId("camera-buttons"),
                                             { name: this.name, source: this.source, fps: this.fps });
  private edited: Camera | null = null;  // null: a new one is being described
  private readonly gone = new AbortController();

  /// `changed` is called after each change.
  constructor(private readonly api: Api, mayEdit: boolean, private readonly changed: () => Promise<void>) {
    const on = { signal: this.gone.signal };
    const add = byId("add-camera");
    add.hidden = !mayEdit;
    add.addEventListener("click", () => this.edit(null), on);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    }, on);
    byId("camera-cancel").addEventListener("click", () => this.dialog.close(), on);
    byId("camera-delete").addEventListener("click", () => void this.delete(), on);
  }

  close(): void {
    this.gone.abort();
    this.trouble.begin();
    this.dialog.close();
  }

  edit(camera: Camera | null): void {
    this.edited = camera;
    this.trouble.begin();
    byId("camera-dialog-title").textContent = camera ? "Edit camera" : "New camera";
    byId("camera-delete").hidden = camera === null;
    this.name.value = camera?.name ?? "";
    this.source.value = camera?.source ?? "";
    this.fps.value = String(camera?.fps ?? 1);
    showDialog(this.dialog, byId("add-camera"));
  }

  private async save(): Promise<void> {
    const edited = this.edited;
    const wanted = { ...edited, name: this.name.value.trim(), source: this.source.value.trim() || null, fps: Number(this.fps.value) };
    await this.attempt(edited ? () => this.api.send("PUT", `/v1/cameras/${edited.id}`, wanted, edited.version)
                              : () => this.api.send("POST", "/v1/cameras", wanted));
  }

  private async delete(): Promise<void> {
    const edited = this.edited;
    if (edited) await this.attempt(() => this.api.send("DELETE", `/v1/cameras/${edited.id}`));
  }

  private async attempt(change: () => Promise<unknown>): Promise<void> {
    await this.trouble.attempt("this camera", change);
    await this.changed();
  }
}
