// The boxes that send frames: which cameras are whose, when one was last heard of, and their tokens, which are shown once.
import { Api, Camera, Credential, Device, Refusal, Shown } from "./api";
import { EditDialog } from "./edit_dialog";
import { byId, lineButton, make, replaceLines, timeOfDay, words } from "./element";
import { ask } from "./question";
import { SecretDialog } from "./secret_dialog";
import { Ticks } from "./ticks";

const kReadEvery = 15_000;
const kMost = 200;
const kMostCredentials = 1000;  // with more, nobody is said to have no token
const kShownOnce = "It sends frames of its cameras with this token, which is not shown again: put it on the device now.";

/// What a device and its token are answered with when it is made.
interface Made { id: string; name: string; credential: Shown }

function troubleOf(error: unknown): string {
  if (!(error instanceof Refusal)) return "the gateway cannot be reached";
  return error.status === 412 ? "somebody else changed one meanwhile" : error.message;
}

export class DevicesPanel {
  private devices: Device[] = [];
  private cameras: Camera[] = [];
  private filled: Camera[] = [];  // as they were when the form was filled
  private usable: Set<string> | null = null;  // devices with a token that opens something; null: who looks is not told
  private readonly seen = new Map<string, string>();  // the time of each camera's newest frame
  private readonly name = byId<HTMLInputElement>("device-name");
  private readonly sends = new Ticks(byId("device-cameras"));
  private readonly dialog: EditDialog<Device>;
  private readonly gone = new AbortController();
  private timer = 0;
  private reads = 0;
  private says = "";  // what the list shows
  private wanted: string | null = null;  // a camera that the new device is for
  private made: { device: Made; trouble: string } | null = null;

  /// `changed` is called after each change, which may be one of cameras.
  constructor(private readonly api: Api, private readonly mayEdit: boolean, private readonly secrets: SecretDialog,
              private readonly changed: () => Promise<void>) {
    this.dialog = new EditDialog<Device>(api, mayEdit, {
      kind: "device", path: "/v1/devices", goesToo: "Its token opens nothing then; its cameras stay.", nameOf: (device) => device.name,
      fieldOf: (name) => name === "name" ? this.name : undefined,
      show: (device) => this.fill(device), read: () => this.name.value.trim(),
      send: (device, name) => this.save(device, name as string),
    }, () => this.afterChange());
  }

  close(): void {
    this.gone.abort();
    clearTimeout(this.timer);
    this.made = null;
    this.dialog.close();
    this.sends.clear();
    byId("devices-trouble").textContent = "";
  }

  all(): Device[] { return this.devices; }

  /// The form of a new one that sends this camera's frames.
  addFor(camera: Camera): void {
    this.wanted = camera.id;
    this.dialog.open(null);
    this.wanted = null;
    this.name.value = camera.name;
  }

  takeCameras(cameras: Camera[]): void {
    this.cameras = cameras;
    this.show();
  }

  /// A frame of that camera came, taken at `time`.
  hear(camera: string, time: string): void {
    this.seen.set(camera, time);
    for (const device of this.devices) {
      const line = byId(`seen-${device.id}`);
      if (line && this.camerasOf(device).some((each) => each.id === camera)) line.textContent = this.seenText(device);
    }
  }

  /// Reads the devices, and then again now and then.
  async refresh(): Promise<void> {
    const mine = ++this.reads;
    clearTimeout(this.timer);
    try {
      const [devices, credentials] = await Promise.all([
        this.api.list<Device>("/v1/devices", kMost), this.mayEdit ? this.api.list<Credential>("/v1/credentials", kMostCredentials) : null]);
      if (this.gone.signal.aborted || mine !== this.reads) return;
      this.devices = devices;
      const now = Date.now();
      const opens = (each: Credential) => !each.revoked && (!each.expires || Date.parse(each.expires) > now);
      const all = credentials !== null && credentials.length < kMostCredentials ? credentials : null;
      this.usable = all && new Set(all.flatMap((each) => each.device && opens(each) ? each.device : []));
      this.show();
    } catch {
      // The next round tries again.
    }
    if (!this.gone.signal.aborted && mine === this.reads) this.timer = window.setTimeout(() => void this.refresh(), kReadEvery);
  }

  /// By name: those that were made at once have no order of their own.
  private camerasOf(device: { id: string }): Camera[] {
    return this.cameras.filter((camera) => camera.device === device.id).sort((a, b) => a.name.localeCompare(b.name));
  }

  private seenText(device: Device): string {
    const newest = this.camerasOf(device).flatMap((camera) => this.seen.get(camera.id) ?? []).sort((a, b) => Date.parse(b) - Date.parse(a))[0];
    return newest ? `last frame ${timeOfDay(newest)}` : "no frame yet";
  }

  /// Lines that say the same stay, and with them a click that has begun.
  private show(): void {
    const says = JSON.stringify([this.devices, this.cameras, this.usable && [...this.usable]]);
    if (says === this.says) return;
    this.says = says;
    const lines = this.devices.map((device) => {
      const opens = this.usable === null || this.usable.has(device.id);
      const line = make("li", opens ? "device" : "device off"), buttons = make("div", "buttons"), cameras = this.camerasOf(device);
      const seen = make("span", "quiet", this.seenText(device));
      seen.id = `seen-${device.id}`;
      line.append(words("span", "question", device.name),
                  words("span", "", cameras.length > 0 ? `sends ${cameras.map((camera) => camera.name).join(", ")}` : "no camera is its own yet"), seen);
      if (!opens) line.append(make("span", "source", "It has no token: it can send nothing."));
      if (this.mayEdit) {
        buttons.append(lineButton("New token", `New token: ${device.name}`, `token ${device.id}`, () => void this.rotate(device)));
        if (opens) buttons.append(lineButton("Revoke", `Revoke: ${device.name}`, `revoke ${device.id}`, () => void this.revoke(device)));
        buttons.append(lineButton("Edit", `Edit device: ${device.name}`, `device ${device.id}`, () => this.dialog.open(device)));
        line.append(buttons);
      }
      return line;
    });
    replaceLines(byId("device-list"), lines, this.mayEdit ? byId("add-device") : byId("devices-title"));
    byId("no-devices").hidden = lines.length > 0;
  }

  private fill(device: Device | null): void {
    this.filled = [...this.cameras];
    this.name.value = device?.name ?? "";
    for (const part of ["device-name", "device-name-label"]) byId(part).hidden = device !== null;  // the API gives it no other
    this.name.required = device === null;
    if (device) byId("device-dialog-title").textContent = `Edit device ${device.name}`;
    const of = new Map(this.devices.map((each) => [each.id, each.name]));
    const texts = this.cameras.map((camera) => {
      const other = camera.device && camera.device !== device?.id ? of.get(camera.device) : undefined;
      return { id: camera.id, text: other ? `${camera.name} (now of ${other})` : camera.name };
    });
    this.sends.show(texts, this.tickedFirst(device), "");
    this.sends.root.hidden = this.cameras.length === 0;
  }

  /// Of a new one: the camera it is made for, or those that nobody sends or fetches.
  private tickedFirst(device: Device | null): string[] {
    if (device) return this.camerasOf(device).map((camera) => camera.id);
    if (this.wanted) return [this.wanted];
    return this.cameras.filter((camera) => !camera.device && !camera.source).map((camera) => camera.id);
  }

  private async save(device: Device | null, name: string): Promise<void> {
    const ticked = new Set(this.sends.ticked());
    if (device) return this.giveCameras(device.id, ticked);
    const made = await this.api.send<Made>("POST", "/v1/devices", { name });
    const trouble = await this.giveCameras(made.id, ticked).then(() => "", (error: unknown) =>
      `Not every camera is its own yet: ${troubleOf(error)}`);
    this.made = { device: made, trouble };  // its token is shown whatever became of the cameras
  }

  /// Those become the device's, and others are its own no more, of what the form showed: of a tick that nobody touched
  /// nothing is sent, so that what somebody else has changed meanwhile stays. Errors: 412, so was a camera of the others.
  private async giveCameras(device: string, wanted: Set<string>): Promise<void> {
    for (const [i, camera] of this.filled.entries()) {
      const is = camera.device === device;
      if (is === wanted.has(camera.id)) continue;
      this.filled[i] = await this.api.send<Camera>("PUT", `/v1/cameras/${camera.id}`, { ...camera, device: is ? null : device }, camera.version);
    }
  }

  private async afterChange(): Promise<void> {
    await Promise.all([this.changed(), this.refresh()]);
    const made = this.made;
    this.made = null;
    if (made) this.showToken(made.device, made.device.credential.token, made.trouble);
  }

  private showToken(device: { id: string; name: string }, token: string, trouble = ""): void {
    if (this.gone.signal.aborted) return;
    this.secrets.show(`The token of ${device.name}`, kShownOnce, token, this.camerasOf(device), trouble);
  }

  private async rotate(device: Device): Promise<void> {
    if (!await ask(`Make a new token for “${device.name}”? The one it has opens nothing from then on.`, "Make a new token")) return;
    await this.attempt(async () => {
      const made = await this.api.send<Shown>("POST", `/v1/devices/${device.id}/rotate`);
      this.showToken(device, made.token);
    });
  }

  private async revoke(device: Device): Promise<void> {
    if (!await ask(`Revoke the token of “${device.name}”? It can send no frame until it gets a new one.`, "Revoke")) return;
    await this.attempt(() => this.api.send("POST", `/v1/devices/${device.id}/revoke`));
  }

  private async attempt(change: () => Promise<unknown>): Promise<void> {
    if (this.gone.signal.aborted) return;
    byId("devices-trouble").textContent = "";
    try {
      await change();
    } catch (error) {
      if (this.gone.signal.aborted) return;
      byId("devices-trouble").textContent = error instanceof Refusal ? error.message : "The gateway cannot be reached.";
    }
    await this.refresh();
  }
}
