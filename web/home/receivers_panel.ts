// Who is told of alerts, and what came of it: each receiver with its newest deliveries; made, changed, tried and deleted here.
import { Api, Receiver, Refusal } from "./api";
import { DeliveriesDialog } from "./deliveries_dialog";
import { EditDialog } from "./edit_dialog";
import { byId, lineButton, make, replaceLines, timeOfDay, words } from "./element";
import { ask } from "./question";
import { ReceiverFields } from "./receiver_fields";
import { SecretDialog } from "./secret_dialog";
import { deliveryKind, deliveryText, Tally } from "./tally";

const kPendingEvery = 2000;
const kQuietEvery = 15_000;
const kNewest = 5;  // deliveries on the page itself
const kFirstKind = "ntfy";

const kKinds: Record<string, string> = { ntfy: "ntfy", email: "e-mail", webhook: "webhook", mqtt: "MQTT" };
const kSignedBy = "Every message is signed with it, so that your end can tell ours from others. It is not shown again.";

/// `secret`: of a new webhook, in this answer only. `warning`: it is kept, but its name is not found now.
type Saved = Receiver & { secret?: string; warning?: string };

export class ReceiversPanel {
  private receivers: Receiver[] = [];
  private readonly tallies = new Map<string, Tally>();
  private readonly tests = new Map<string, { state: "sent" | "done" | "failed"; text: string }>();
  private readonly kind = byId<HTMLSelectElement>("receiver-kind");
  private readonly name = byId<HTMLInputElement>("receiver-name");
  private readonly active = byId<HTMLInputElement>("receiver-active");
  private readonly fields = new ReceiverFields(byId("receiver-fields"));
  private readonly dialog: EditDialog<Receiver>;
  private readonly deliveries: DeliveriesDialog;
  private readonly gone = new AbortController();
  private says = "";      // what the list shows
  private timer = 0;
  private reading: Promise<void> | null = null;
  private again = false;  // something has happened that is to be read

  constructor(private readonly api: Api, private readonly mayEdit: boolean, private readonly secrets: SecretDialog,
              private readonly changed: () => void) {
    const own: Record<string, HTMLElement> = { name: this.name, kind: this.kind, active: this.active };
    this.dialog = new EditDialog<Receiver>(api, mayEdit, {
      kind: "receiver", path: "/v1/receivers", goesToo: "What waits to be sent to it goes too.", nameOf: (receiver) => receiver.name,
      fieldOf: (name) => name === "" ? this.fields.fieldOf(this.fields.place()) : own[name] ?? this.fields.fieldOf(name),
      show: (receiver) => this.fill(receiver), read: (receiver) => this.read(receiver),
      saved: (answer) => this.showSaved(answer as Saved),
    }, () => this.refresh());
    this.deliveries = new DeliveriesDialog(api, mayEdit, (receiver) => {
      this.tallies.get(receiver.id)?.startAgain();
      return this.refresh();
    });
    this.kind.addEventListener("change", () => this.fields.show(this.kind.value, null), { signal: this.gone.signal });
  }

  close(): void {
    this.gone.abort();
    clearTimeout(this.timer);
    this.dialog.close();
    this.deliveries.close();
    this.fields.clear();
    byId("receivers-said").textContent = "";
  }

  all(): Receiver[] { return this.receivers; }

  /// An alert was told, something was changed, or the page was opened. Ends when all is read since, or could not be.
  refresh(): Promise<void> {
    if (this.gone.signal.aborted) return Promise.resolve();
    this.again = true;
    return this.reading ??= this.readAgain();
  }

  private async readAgain(): Promise<void> {
    clearTimeout(this.timer);
    try {
      while (this.again && !this.gone.signal.aborted) {
        this.again = false;
        await this.readAll();
      }
    } catch {
      // The next round tries again.
    }
    this.reading = null;
    if (this.gone.signal.aborted) return;
    const waits = [...this.tallies.values()].some((tally) => tally.pending.length > 0);
    this.timer = window.setTimeout(() => void this.refresh(), this.again || waits ? kPendingEvery : kQuietEvery);
    this.again = false;
  }

  private async readAll(): Promise<void> {
    const receivers = await this.api.list<Receiver>("/v1/receivers", 100);
    const there = new Set(receivers.map((receiver) => receiver.id));
    for (const id of [...this.tallies.keys()]) if (!there.has(id)) this.tallies.delete(id);
    for (const { id } of receivers) {
      const tally = this.tallies.get(id) ?? new Tally();
      this.tallies.set(id, tally);
      await tally.read(this.api, id);
    }
    if (this.gone.signal.aborted) return;
    this.receivers = receivers;
    this.show();
    this.changed();
    await Promise.all([...this.tallies].map(([id, tally]) => this.deliveries.refresh(id, tally)));
  }

  /// Lines that say the same stay, and with them a click that has begun.
  private show(): void {
    const says = JSON.stringify([this.receivers, [...this.tests], [...this.tallies]]);
    if (says === this.says) return;
    this.says = says;
    const lines = this.receivers.map((receiver) => this.lineOf(receiver));
    replaceLines(byId("receiver-list"), lines, this.mayEdit ? byId("add-receiver") : byId("receivers-title"));
    byId("no-receivers").hidden = this.receivers.length > 0;
  }

  private lineOf(receiver: Receiver): HTMLElement {
    const tally = this.tallies.get(receiver.id) ?? new Tally(), kind = kKinds[receiver.kind] ?? receiver.kind;
    const line = make("li", receiver.active ? "receiver" : "receiver off"), buttons = make("div", "buttons");
    const name = receiver.name || receiver.kind;
    buttons.append(lineButton("Deliveries", `Deliveries: ${name}`, `deliveries ${receiver.id}`, () => this.deliveries.open(receiver, tally)));
    if (this.mayEdit) {
      buttons.append(lineButton("Test", `Test: ${name}`, `test ${receiver.id}`, () => void this.test(receiver)));
      if (receiver.kind === "webhook") {
        buttons.append(lineButton("New secret", `New signing secret: ${name}`, `secret ${receiver.id}`, () => void this.rotate(receiver)));
      }
      buttons.append(lineButton("Edit", `Edit receiver: ${name}`, `receiver ${receiver.id}`, () => this.dialog.open(receiver)));
    }
    line.append(words("span", "question", name), make("span", "quiet", receiver.active ? kind : `${kind}, off: ${receiver.reason || "switched off"}`),
                make("span", "", tally.text()));
    const tested = this.tests.get(receiver.id);
    if (tested) line.append(words("span", `test ${tested.state}`, tested.text));
    const list = make("ul", "deliveries");
    for (const delivery of tally.newest.slice(0, kNewest)) {
      list.append(words("li", `delivery ${delivery.state}`, `${deliveryKind(delivery)} · ${deliveryText(delivery)}`));
    }
    line.append(list, buttons);
    return line;
  }

  /// Sends a test at once, whatever waits; the answer takes 10 s at most. One at a time of a receiver.
  private async test(receiver: Receiver): Promise<void> {
    if (this.tests.get(receiver.id)?.state === "sent") return;
    const says = (state: "sent" | "done" | "failed", text: string) => this.say(receiver, state, text);
    says("sent", "A test is on its way…");
    try {
      const { delivered, error } = await this.api.send<{ delivered: boolean; error: string | null }>("POST", `/v1/receivers/${receiver.id}/test`);
      if (delivered) says("done", `A test was delivered at ${timeOfDay(new Date().toISOString())}.`);
      else says("failed", `A test did not get through: ${error}`);
    } catch (error) {
      says("failed", error instanceof Refusal ? error.message : "The gateway cannot be reached.");
    }
    await this.refresh();
  }

  /// On the receiver's line, and to who hears the page.
  private say(receiver: Receiver, state: "sent" | "done" | "failed", text: string): void {
    if (this.gone.signal.aborted) return;
    this.tests.set(receiver.id, { state, text });
    this.show();
    byId("receivers-said").textContent = `${receiver.name}: ${text}`;
  }

  private fill(receiver: Receiver | null): void {
    this.name.value = receiver?.name ?? "";
    this.kind.value = receiver?.kind ?? kFirstKind;
    this.kind.disabled = receiver !== null;  // another kind is another receiver
    this.active.checked = receiver?.active ?? true;
    byId("receiver-active-row").hidden = receiver === null;
    this.fields.show(this.kind.value, receiver?.config ?? null);
  }

  private read(receiver: Receiver | null): unknown {
    return { name: this.name.value.trim(), active: this.active.checked, config: this.fields.read(receiver?.config ?? null) };
  }

  private showSaved({ id, name, secret, warning }: Saved): void {
    if (warning) this.tests.set(id, { state: "failed", text: warning });
    else this.tests.delete(id);  // it was of what it was before
    this.show();
    if (secret) this.secrets.show(`The signing secret of ${name}`, kSignedBy, secret, null);
  }

  private async rotate(receiver: Receiver): Promise<void> {
    if (!await ask(`Make another signing secret for “${receiver.name}”? The one it has stays good beside it until the next.`, "Make another")) return;
    if (this.gone.signal.aborted) return;
    try {
      const { secret } = await this.api.send<{ secret: string }>("POST", `/v1/receivers/${receiver.id}/rotate-secret`);
      if (!this.gone.signal.aborted) this.secrets.show(`The new signing secret of ${receiver.name}`, kSignedBy, secret, null);
    } catch (error) {
      this.say(receiver, "failed", error instanceof Refusal ? error.message : "The gateway cannot be reached.");
    }
    await this.refresh();
  }
}
