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
  private tally = new Tally();

  /// `sentAgain`: a message that was given up waits again.
  constructor(private readonly api: Api, private readonly mayEdit: boolean, private readonly sentAgain: (receiver: Receiver) => Promise<void>) {
    byId("deliveries-close").addEventListener("click", () => this.dialog.close(), { signal: this.gone.signal });
    this.dialog.addEventListener("close", () => { this.receiver = null; }, { signal: this.gone.signal });
  }

  close(): void {
    this.receiver = null;
    this.dialog.close();
    this.gone.abort();
  }

  open(receiver: Receiver, tally: Tally): void {
    this.receiver = receiver;
    this.trouble.textContent = "";
    this.lines.replaceChildren();
    byId("deliveries-title").textContent = `Deliveries to ${receiver.name}`;
    showDialog(this.dialog, byId("receivers-title"));
    void this.refresh(receiver.id, tally);
  }

  /// The receiver's messages were read anew; nothing is done for one that is not shown.
  async refresh(id: string, tally: Tally): Promise<void> {
    const shown = this.receiver;
    if (shown?.id !== id) return;
    this.tally = tally;
    byId("deliveries-counts").textContent = tally.text();
    const dead = tally.dead === 0 ? [] : await this.api.get<{ items: Delivery[] }>(`/v1/receivers/${id}/deliveries?dead=true&limit=${kMaxDead}`)
      .then((got) => got.items.reverse(), () => []);
    if (this.receiver !== shown || this.tally !== tally) return;
    const all = [...dead, ...tally.newest.filter((delivery) => delivery.state !== "dead")];
    replaceLines(this.lines, all.map((delivery) => this.lineOf(delivery)), byId("deliveries-close"));
    byId("no-deliveries").hidden = all.length > 0;
  }

  private lineOf(delivery: Delivery): HTMLElement {
    const line = make("tr", `delivery ${delivery.state}`), again = make("td", "number");
    if (delivery.state === "dead" && this.mayEdit) {
      again.append(lineButton("Send again", `Send again: ${deliveryKind(delivery)} of ${timeOfDay(delivery.created)}`,
                              `again ${delivery.id}`, () => void this.sendAgain(delivery.id)));
    }
    line.append(make("td", "quiet", timeOfDay(delivery.created)), make("td", "", deliveryKind(delivery)),
                words("td", "", deliveryText(delivery)), make("td", "number", String(delivery.attempts)), again);
    return line;
  }

  private async sendAgain(delivery: number): Promise<void> {
    const receiver = this.receiver;
    if (!receiver) return;
    this.trouble.textContent = "";
    try {
      await this.api.send("POST", `/v1/receivers/${receiver.id}/redeliver`, { delivery });
    } catch (error) {
      if (this.receiver === receiver) this.trouble.textContent = error instanceof Refusal ? error.message : "The gateway cannot be reached.";
      return;
    }
    await this.sentAgain(receiver);
  }
}
