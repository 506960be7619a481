// What came of a receiver's messages, one by one: those that were given up, which can be sent again, and the newest.
import { Api, Delivery, Receiver, Refusal } from "./api";
import { byId, lineButton, make, replaceLines, showDialog, timeOfDay, words } from "./element";
import { deliveryKind, deliveryText, Tally } from "./tally";

const kMaxDead = 100;

export class DeliveriesDialog {
  private readonly dialog = byId<HTMLDialogElement>("deliveries-dialog");
  private readonly lines = byId("deliveries");
  private readonly trouble = byId("deliveries-trouble");
  private readonly gone = new AbortController();
  private receiver: Receiver | null = null;
  private reads = 0;
  private says = "";  // what the lines show
  private readonly sending = new Set<number>();  // again, and what came of it is not read yet

  /// `sentAgain`: a message that was given up waits again; ends when all were read since.
  constructor(private readonly api: Api, private readonly mayEdit: boolean, private readonly sentAgain: (receiver: Receiver) => Promise<void>) {
    byId("deliveries-close").addEventListener("click", () => this.dialog.close(), { signal: this.gone.signal });
    this.dialog.addEventListener("close", () => {
      if (!this.dialog.open) this.receiver = null;
    }, { signal: this.gone.signal });
  }

  close(): void {
    this.receiver = null;
    this.gone.abort();
    this.dialog.close();
    for (const part of ["deliveries-title", "deliveries-counts", "deliveries-trouble", "deliveries"]) byId(part).replaceChildren();
  }

  open(receiver: Receiver, tally: Tally): void {
    this.receiver = receiver;
    this.trouble.textContent = "";
    this.lines.replaceChildren();
    this.says = "";
    byId("deliveries-title").textContent = `Deliveries to ${receiver.name}`;
    showDialog(this.dialog, byId("receivers-title"));
    void this.refresh(receiver.id, tally);
  }

  /// The receiver's messages were read anew; nothing is done for one that is not shown. Ends when they are on the page.
  async refresh(id: string, tally: Tally): Promise<void> {
    const shown = this.receiver;
    if (shown?.id !== id) return;
    const mine = ++this.reads;
    byId("deliveries-counts").textContent = tally.text();
    const dead = tally.dead === 0 ? [] : await this.api.get<{ items: Delivery[] }>(`/v1/receivers/${id}/deliveries?dead=true&limit=${kMaxDead}`)
      .then((got) => got.items.reverse(), () => tally.newest.filter((delivery) => delivery.state === "dead"));
    if (this.receiver !== shown || mine !== this.reads) return;
    // Lines that say the same stay, and with them a click that has begun.
    const all = [...dead, ...tally.newest.filter((delivery) => delivery.state !== "dead")];
    const says = JSON.stringify(all);
    if (says === this.says) return;
    this.says = says;
    replaceLines(this.lines, all.map((delivery) => this.lineOf(delivery)), byId("deliveries-close"));
    byId("no-deliveries").hidden = all.length > 0;
  }

  private lineOf(delivery: Delivery): HTMLElement {
    const line = make("tr", `delivery ${delivery.state}`), again = make("td", "number");
    if (delivery.state === "dead" && this.mayEdit) {
      const button = lineButton("Send again", `Send again: ${deliveryKind(delivery)} of ${timeOfDay(delivery.created)}`,
                                `again ${delivery.id}`, () => void this.sendAgain(delivery.id, button));
      if (this.sending.has(delivery.id)) DeliveriesDialog.block(button, true);
      again.append(button);
    }
    line.append(make("td", "quiet", timeOfDay(delivery.created)), make("td", "", deliveryKind(delivery)),
                words("td", "", deliveryText(delivery)), make("td", "number", String(delivery.attempts)), again);
    return line;
  }

  /// Not `disabled`, which takes the focus away.
  private static block(button: HTMLElement, blocked: boolean): void { button.setAttribute("aria-disabled", String(blocked)); }

  /// Once: who presses before the answer is on the page sends nothing.
  private async sendAgain(delivery: number, button: HTMLElement): Promise<void> {
    const receiver = this.receiver;
    if (!receiver || this.sending.has(delivery)) return;
    this.sending.add(delivery);
    DeliveriesDialog.block(button, true);
    this.trouble.textContent = "";
    try {
      await this.api.send("POST", `/v1/receivers/${receiver.id}/redeliver`, { delivery });
      await this.sentAgain(receiver);
    } catch (error) {
      if (this.receiver === receiver) this.trouble.textContent = error instanceof Refusal ? error.message : "The gateway cannot be reached.";
    }
    this.sending.delete(delivery);
    for (const each of this.lines.querySelectorAll<HTMLElement>(`[data-key="again ${delivery}"]`)) DeliveriesDialog.block(each, false);
  }
}
