// A secret that the API shows once, and how it is used. When the dialog is closed the page does not have it any more.
import { Camera } from "./api";
import { byId, fillSelect, showDialog } from "./element";

/// What stands in `from` goes to the clipboard; false: it is selected, for who copies it by hand.
async function copy(from: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(from.textContent ?? "");
    return true;
  } catch {  // there is none without TLS
    getSelection()?.selectAllChildren(from);
    return document.execCommand("copy");
  }
}

/// A line for a shell that sends one frame.
function curlLine(camera: string, token: string): string {
  return `curl '${location.origin}/v1/cameras/${camera}/frames?wait=answers' \\\n  -H 'Authorization: Bearer ${token}' \\\n  --data-binary @frame.jpg`;
}

export class SecretDialog {
  private readonly dialog = byId<HTMLDialogElement>("secret-dialog");
  private readonly value = byId("secret-value");
  private readonly curl = byId("secret-curl");
  private readonly camera = byId<HTMLSelectElement>("secret-camera");
  private readonly gone = new AbortController();
  private token = "";
  private readonly waiting: (() => void)[] = [];  // to be shown when this one is closed; one for each that was asked for

  constructor() {
    const on = { signal: this.gone.signal };
    byId("secret-close").addEventListener("click", () => this.dialog.close(), on);
    byId("secret-copy").addEventListener("click", () => void this.copy(this.value), on);
    byId("secret-copy-curl").addEventListener("click", () => void this.copy(this.curl), on);
    this.camera.addEventListener("change", () => this.showCurl(), on);
    this.dialog.addEventListener("close", () => {
      if (this.dialog.open) return;  // the next is shown already
      this.forget();
      this.waiting.shift()?.();
    }, on);
  }

  close(): void {
    this.gone.abort();
    this.waiting.length = 0;
    this.dialog.close();
    this.forget();
  }

  /// `cameras`: of a device's token, those of which it may send frames; null: of another secret. While one is shown the
  /// next waits: no secret goes that nobody has read.
  show(title: string, says: string, secret: string, cameras: Camera[] | null, trouble = ""): void {
    if (this.dialog.open) {
      this.waiting.push(() => this.show(title, says, secret, cameras, trouble));
      return;
    }
    this.forget();
    byId("secret-title").textContent = title;
    byId("secret-says").textContent = says;
    byId("secret-trouble").textContent = trouble;
    this.value.textContent = this.token = secret;
    byId("secret-use").hidden = cameras === null || cameras.length === 0;
    byId("secret-camera-row").hidden = cameras?.length === 1;
    fillSelect(this.camera, (cameras ?? []).map((camera): [string, string] => [camera.id, camera.name]), cameras?.[0]?.id ?? "");
    this.showCurl();
    showDialog(this.dialog, byId("page"));
  }

  private showCurl(): void { this.curl.textContent = curlLine(this.camera.value, this.token); }

  private async copy(from: HTMLElement): Promise<void> {
    byId("secret-copied").textContent = await copy(from) ? "Copied." : "It is selected: copy it with the keyboard.";
  }

  private forget(): void {
    this.token = this.value.textContent = this.curl.textContent = "";
    for (const part of ["secret-title", "secret-says", "secret-copied", "secret-trouble"]) byId(part).textContent = "";
    this.camera.replaceChildren();
  }
}
