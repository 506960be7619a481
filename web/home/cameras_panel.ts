// The form of a camera: its name, and where its frames come from: fetched at an address, or sent by a device.
import { Api, Camera, Device, Refusal } from "./api";
import { EditDialog } from "./edit_dialog";
import { byId, fillSelect } from "./element";

const kNotRead = "a device that is not read yet";

/// The address with a user and a password in it, whatever characters they have.
function signedIn(address: string, user: string, password: string): string {
  if (user === "" && password === "") return address;
  return address.replace(/^([a-z]+:\/\/)(?:[^/?#]*@)?/i, `$1${encodeURIComponent(user)}:${encodeURIComponent(password).replaceAll("'", "%27")}@`);
}

export class CamerasPanel {
  private readonly name = byId<HTMLInputElement>("camera-name");
  private readonly source = byId<HTMLInputElement>("camera-source");
  private readonly user = byId<HTMLInputElement>("camera-user");
  private readonly password = byId<HTMLInputElement>("camera-password");
  private readonly device = byId<HTMLSelectElement>("camera-device");
  private readonly fps = byId<HTMLInputElement>("camera-fps");
  private readonly enabled = byId<HTMLInputElement>("camera-enabled");
  private readonly dialog: EditDialog<Camera>;

  /// `devices`: all there are now. `changed` is called after each change.
  constructor(api: Api, mayEdit: boolean, private readonly devices: () => Device[], changed: () => Promise<void>) {
    const fields: Record<string, HTMLElement> = { name: this.name, source: this.source, device: this.device, fps: this.fps };
    this.dialog = new EditDialog<Camera>(api, mayEdit, {
      kind: "camera", path: "/v1/cameras", goesToo: "Pictures kept of its alerts go too.", nameOf: (camera) => camera.name,
      fieldOf: (name) => fields[name], show: (camera) => this.show(camera), read: (camera) => this.read(camera),
    }, changed);
  }

  close(): void {
    this.dialog.close();
    this.device.replaceChildren();
  }
  edit(camera: Camera | null): void { this.dialog.open(camera); }

  private show(camera: Camera | null): void {
    this.name.value = camera?.name ?? "";
    this.source.value = camera?.source ?? "";
    this.user.value = this.password.value = "";
    byId("camera-kept").hidden = !camera?.source;
    const choices: [string, string][] = [["", "none"], ...this.devices().map((device): [string, string] => [device.id, device.name])];
    const its = camera?.device ?? "";
    if (!choices.some(([id]) => id === its)) choices.push([its, kNotRead]);  // a name that is saved leaves it where it is
    fillSelect(this.device, choices, its);
    this.fps.value = String(camera?.fps ?? 1);
    this.enabled.checked = camera?.enabled ?? true;
  }

  /// An address that comes back as it was shown keeps what is not shown of it: the gateway sees to that.
  private read(camera: Camera | null): unknown {
    if (this.source.value.trim() === "" && this.user.value + this.password.value !== "") {
      throw new Refusal(400, "field", "source: want the address that the user and the password are for");
    }
    const source = signedIn(this.source.value.trim(), this.user.value, this.password.value);
    return { ...camera, name: this.name.value.trim(), source: source || null, device: this.device.value || null,
             fps: Number(this.fps.value), enabled: this.enabled.checked };
  }
}
