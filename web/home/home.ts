// The gateway's page: an owner's cameras with their newest frames and answers, and the alerts, as they happen.
import { AlertLine, AlertList } from "./alert_list";
import { Alert, Api, Camera, FrameResult, Notice, Refusal, Rule, Source, Stats, Why } from "./api";
import { CameraCard } from "./camera_card";
import { CamerasPanel } from "./cameras_panel";
import { DevicesPanel } from "./devices_panel";
import { byId, replaceLines } from "./element";
import { FirstSteps } from "./first_steps";
import { ReceiversPanel } from "./receivers_panel";
import { RulesPanel } from "./rules_panel";
import { SecretDialog } from "./secret_dialog";
import { WhyDialog } from "./why_dialog";

const kTokenKey = "pawsight-token";
const kNoLonger = "This token is no longer valid: it was revoked or has expired. Sign in with another.";
const kMaxCameras = 200;
const kMaxAlerts = 100;
const kFirstPause = 500;
const kLongestPause = 10_000;
const kReadEvery = 3_000;    // at most, for what a frame names and we do not know
const kLookEvery = 5_000;    // at what somebody else may edit
const kLookAgain = 1_000;    // while a camera's frames do not come
const kMaxHistories = 32;  // rules whose answers of before are asked for

const link = byId("link");
function say(state: "off" | "connecting" | "live" | "lost", text: string): void {
  link.dataset["state"] = document.body.dataset["link"] = state;
  link.textContent = text;
}

class Home {
  private readonly cards = new Map<string, CameraCard>();
  private readonly names = new Map<string, string>();  // of cameras
  private readonly alerts = new AlertList(byId("alert-list"), byId("no-alerts"), kMaxAlerts, (alert) => this.showWhy(alert),
                                           this.names);
  private readonly rules = new Map<string, Rule>();
  private readonly stop = new AbortController();
  private readonly why: WhyDialog;
  private readonly panel: RulesPanel;
  private readonly receivers: ReceiversPanel;
  private readonly devices: DevicesPanel;
  private readonly cameras: CamerasPanel;
  private readonly secrets = new SecretDialog();
  private readonly steps: FirstSteps;
  private timer = 0;
  private looks = 0;
  private reading: Promise<void> | null = null;
  private readAt = 0;      // when everything was last asked for
  private readTimer = 0;   // 0: no reading is planned
  private waits = false;   // for frames of a camera that is fetched

  constructor(private readonly api: Api, private readonly mayEdit: boolean) {
    this.why = new WhyDialog(api, (camera) => this.names.get(camera) ?? camera);
    this.receivers = new ReceiversPanel(api, mayEdit, this.secrets, () => {
      this.panel.showAgain();
      this.showSteps();
    });
    this.panel = new RulesPanel(api, mayEdit, () => this.receivers.all(), () => this.look(), (rule) => this.why.open(rule));
    this.devices = new DevicesPanel(api, mayEdit, this.secrets, () => this.look());
    this.cameras = new CamerasPanel(api, mayEdit, () => this.devices.all(), () => this.look());
    this.steps = new FirstSteps(mayEdit);
    this.timer = window.setTimeout(() => void this.look(), kLookEvery);
  }

  /// Reads everything and shows it; who asks while it reads gets what comes of that.
  private read(): Promise<void> {
    clearTimeout(this.readTimer);
    this.readTimer = 0;
    return this.reading ??= this.readAll().finally(() => { this.reading = null; });
  }

  private async readAll(): Promise<void> {
    this.readAt = Date.now();
    const [cameras, rules, alerts, stats] = await Promise.all([
      this.api.list<Camera>("/v1/cameras", kMaxCameras), this.api.list<Rule>("/v1/rules", 1000),
      this.api.get<{ items: Alert[] }>(`/v1/alerts?limit=${kMaxAlerts}`), this.api.get<Stats>("/v1/stats")]);
    if (this.stop.signal.aborted) return;
    this.takeRules(rules);
    this.takeCameras(cameras);
    this.takeSources(stats.sources);
    for (const { camera, newest_time } of stats.stats.cameras) {
      if (!newest_time) continue;
      this.cards.get(camera)?.showPast(newest_time);
      this.devices.hear(camera, newest_time);
    }
    await this.rememberAll();
    if (this.stop.signal.aborted) return;
    this.alerts.reset(alerts.items.map((alert) => ({
      question: "", ...alert.detail, id: alert.id, camera: alert.camera, rule: alert.rule, severity: alert.severity,
      fired: alert.fired, resolved: alert.resolved })));
    byId("side").hidden = false;
    this.showSteps();
    void this.receivers.refresh();
    void this.devices.refresh();
  }

  private showSteps(): void {
    this.steps.show({ camera: this.cards.size > 0, rule: this.rules.size > 0, receiver: this.receivers.all().length > 0 });
  }

  /// A card that shows the same camera stays, with what it shows.
  private takeCameras(cameras: Camera[]): void {
    const before = new Map(this.cards);
    this.cards.clear();
    this.names.clear();
    for (const camera of cameras) {
      const card = before.get(camera.id);
      const [edit, send] = this.mayEdit ? [() => this.cameras.edit(camera), () => this.devices.addFor(camera)] : [null, null];
      this.cards.set(camera.id, card?.isOf(camera) ? card
                                : new CameraCard(camera, this.rules, () => this.api.picture(camera.id), edit, send));
      this.names.set(camera.id, camera.name);
    }
    const cards = [...this.cards.values()];
    if (cards.length !== before.size || cards.some((card) => !card.root.isConnected)) {
      replaceLines(byId("camera-list"), cards.map((card) => card.root), byId("add-camera"));
    }
    this.alerts.rename();
    byId("no-cameras").textContent = this.mayEdit
      ? "None yet. Add one, and say where its frames are fetched, or have a device send them." : "None yet. An operator adds them.";
    byId("no-cameras").hidden = cards.length > 0;
    this.devices.takeCameras(cameras);
  }

  private takeSources(sources: Source[]): void {
    const of = new Map(sources.map((source) => [source.camera, source]));
    for (const [id, card] of this.cards) card.showSource(of.get(id));
    this.waits = sources.some((source) => source.state !== "running" && source.state !== "ended");
  }

  /// Whether they are others than before.
  private takeRules(rules: Rule[]): boolean {
    if (rules.length === this.rules.size && rules.every((rule) => this.rules.get(rule.id)?.version === rule.version)) return false;
    this.rules.clear();
    for (const rule of rules) this.rules.set(rule.id, rule);
    this.panel.show(rules);
    for (const card of this.cards.values()) card.forgetRules();
    return true;
  }

  /// What was edited, here or by somebody else, is on the page; and how fetched cameras do.
  private async look(): Promise<void> {
    const mine = ++this.looks;
    clearTimeout(this.timer);
    try {
      const [cameras, rules, stats] = await Promise.all([
        this.api.list<Camera>("/v1/cameras", kMaxCameras), this.api.list<Rule>("/v1/rules", 1000), this.api.get<Stats>("/v1/stats")]);
      if (this.stop.signal.aborted || mine !== this.looks) return;  // another has looked since
      const known = new Set(this.cards.values());
      this.takeCameras(cameras);
      this.takeSources(stats.sources);
      const made = [...this.cards.values()].filter((card) => !known.has(card));
      for (const { camera, newest_time } of stats.stats.cameras) {
        const card = this.cards.get(camera);
        if (card && newest_time && made.includes(card)) card.showPast(newest_time);
      }
      const others = this.takeRules(rules);
      this.showSteps();
      if (others || made.length > 0) await this.rememberAll();
    } catch {
      // The next round tries again.
    }
    if (!this.stop.signal.aborted && mine === this.looks) this.timer = window.setTimeout(() => void this.look(), this.waits ? kLookAgain : kLookEvery);
  }

  /// The rules' newest answers on each camera, so that a page just opened, or cut off for a while, has a past.
  private async rememberAll(): Promise<void> {
    const rules = [...this.rules.keys()];
    await Promise.all(rules.slice(0, kMaxHistories).map(async (rule) => {
      const why = await this.api.get<Why>(`/v1/rules/${rule}/why`).catch(() => null);  // then it begins now
      for (const outcome of [...(why?.newest ?? [])].reverse()) this.cards.get(outcome.camera)?.remember(rule, outcome);
    }));
    for (const card of this.cards.values()) card.showRemembered(rules);
  }

  /// Follows the live stream until closed. Everything is read once the stream is open, and what it brings meanwhile
  /// waits for that: nothing falls between the two, at the first opening and after every break.
  async follow(): Promise<void> {
    for (let pause = kFirstPause; !this.stop.signal.aborted; pause = Math.min(2 * pause, kLongestPause)) {
      let why = "connection lost, trying again";
      try {
        await this.api.live((name, data) => this.hear(name, data), this.stop.signal, async () => {
          await this.reading?.catch(() => undefined);  // of before it was open
          await this.read();
          if (this.stop.signal.aborted) return;
          pause = kFirstPause;
          say("live", "live");
        });
      } catch (error) {
        if (this.stop.signal.aborted) return;
        if (error instanceof Refusal && error.status === 401) return leave(kNoLonger);
        if (error instanceof Refusal) why = `refused, trying again: ${error.message}`;
      }
      if (this.stop.signal.aborted) return;
      say("lost", why);
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
  }

  close(): void {
    this.stop.abort();
    clearTimeout(this.timer);
    clearTimeout(this.readTimer);
    this.cameras.close();
    this.why.close();
    this.panel.close();
    this.receivers.close();
    this.devices.close();
    this.secrets.close();
    this.steps.close();
    this.alerts.reset([]);
    for (const list of ["camera-list", "rule-list", "receiver-list", "device-list"]) byId(list).replaceChildren();
    for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) dialog.close();
  }

  private showWhy(alert: AlertLine): void {
    const { question, expect = "yes", threshold = 0.7 } = alert;  // as it was, where it has been deleted since
    this.why.open(this.rules.get(alert.rule) ?? { id: alert.rule, question, expect, threshold, enabled: true, version: 0 });
  }

  /// Reads everything anew, soon; now and then at most.
  private readSoon(): void {
    if (this.readTimer !== 0) return;
    const read = () => void this.read().catch(() => {
      if (!this.stop.signal.aborted) this.readSoon();
    });
    this.readTimer = window.setTimeout(read, Math.max(0, this.readAt + kReadEvery - Date.now()));
  }

  /// One event; while everything is read it waits, so that what was read before it does not undo it.
  private async hear(name: string, data: string): Promise<void> {
    await this.reading?.catch(() => undefined);
    if (this.stop.signal.aborted) return;
    if (name === "frame") {
      const result = JSON.parse(data) as FrameResult;
      const card = this.cards.get(result.camera);
      card?.show(result);
      this.devices.hear(result.camera, result.time);
      if (!card || result.rules.some((outcome) => !this.rules.has(outcome.rule))) this.readSoon();  // made since
    } else if (name === "alert") {
      const notice = JSON.parse(data) as Notice;
      const fired = notice.type === "alert.fired", over = notice.type === "alert.resolved";
      this.alerts.put({ ...notice, id: notice.alert,
                        fired: fired ? notice.time : notice.since, resolved: over ? notice.time : null });
      void this.receivers.refresh();
    } else if (name === "dropped") {  // more came than this page took
      this.readSoon();
    }
  }
}

let home: Home | null = null;
let visits = 0;  // a token that is still being looked at when another came, or the door was shown, opens nothing

function leave(why: string): void {
  ++visits;
  home?.close();
  home = null;
  sessionStorage.removeItem(kTokenKey);
  say("off", "not signed in");
  byId("who").textContent = "";
  byId("trouble").textContent = why;
  for (const id of ["cameras", "side", "leave"]) byId(id).hidden = true;
  byId("door").hidden = false;
  byId("token").focus();
}

async function enter(token: string): Promise<void> {
  const mine = ++visits;
  const api = new Api(token);
  say("connecting", "connecting");
  try {
    const me = await api.get<{ role: string }>("/v1/me");
    if (mine !== visits) return;
    if (me.role !== "operator" && me.role !== "viewer") {
      return leave(`A token of the role ${me.role} sees no cameras here; use an operator's or a viewer's.`);
    }
    byId("who").textContent = me.role;
    home?.close();
    home = new Home(api, me.role === "operator");
  } catch (error) {
    if (mine !== visits) return;
    if (error instanceof Refusal && error.status === 401) return leave("This token opens nothing here.");
    return leave(error instanceof Refusal ? error.message : "The gateway cannot be reached.");
  }
  sessionStorage.setItem(kTokenKey, token);
  byId("trouble").textContent = "";
  const typed = byId("door").contains(document.activeElement);
  byId("door").hidden = true;
  byId("no-cameras").textContent = "Reading…";
  byId("no-cameras").hidden = false;
  for (const id of ["cameras", "leave"]) byId(id).hidden = false;
  if (typed) byId("page").focus();
  void home.follow();
}

byId<HTMLFormElement>("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId<HTMLInputElement>("token");
  const token = input.value.trim();
  input.value = "";
  void enter(token);
});
byId("leave").addEventListener("click", () => leave(""));
// A link may bring the token behind its #, which no server sees; it is taken out of the address at once.
function takeBrought(): string | null {
  const brought = new URLSearchParams(location.hash.slice(1)).get("token");
  if (brought) history.replaceState(null, "", location.pathname);
  return brought;
}
window.addEventListener("hashchange", () => {  // a link that is opened where the page is open already
  const brought = takeBrought();
  if (!brought) return;
  leave("");
  void enter(brought);
});
const kept = takeBrought() ?? sessionStorage.getItem(kTokenKey);
if (kept) void enter(kept);
