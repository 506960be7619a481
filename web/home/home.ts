// The gateway's page: an owner's cameras with their newest frames and answers, and the alerts, as they happen.
import { Alert, Api, Camera, FrameResult, Notice, Refusal, Rule, Stats, Why } from "./api";
import { byId } from "./element";
import { ReceiversPanel } from "./receivers_panel";
import { RulesPanel } from "./rules_panel";
import { AlertList, CameraCard } from "./view";
import { WhyDialog } from "./why_dialog";

const kTokenKey = "pawsight-token";
const kMaxCameras = 200;
const kMaxAlerts = 100;
const kLongestPause = 30_000;
const kReopenEvery = 3_000;
const kRulesEvery = 5_000;   // somebody else may edit them
const kMaxHistories = 32;  // rules whose answers of before are asked for

const link = byId("link");
function say(state: "off" | "connecting" | "live", text: string): void {
  link.dataset["state"] = state;
  link.textContent = text;
}

class Home {
  private readonly cards = new Map<string, CameraCard>();
  private readonly alerts = new AlertList(byId("alert-list"), byId("no-alerts"), kMaxAlerts);
  private readonly rules = new Map<string, Rule>();
  private readonly stop = new AbortController();
  private readonly names = new Map<string, string>();  // of cameras
  private readonly why: WhyDialog;
  private readonly panel: RulesPanel;
  private readonly receivers: ReceiversPanel;
  private readonly timer: number;
  private opened = 0;  // when everything was last read

  constructor(private readonly api: Api, mayEdit: boolean) {
    this.why = new WhyDialog(api, (camera) => this.names.get(camera) ?? camera);
    this.panel = new RulesPanel(api, mayEdit, () => this.readRules(), (rule) => this.why.open(rule));
    this.receivers = new ReceiversPanel(api);
    this.timer = window.setInterval(() => void this.readRules(), kRulesEvery);
  }

  async open(): Promise<void> {
    const [cameras, rules, alerts, stats] = await Promise.all([
      this.api.list<Camera>("/v1/cameras", kMaxCameras), this.api.list<Rule>("/v1/rules", 1000),
      this.api.get<{ items: Alert[] }>(`/v1/alerts?limit=${kMaxAlerts}`), this.api.get<Stats>("/v1/stats")]);
    const newest = new Map(stats.stats.cameras.map((camera) => [camera.camera, camera.newest_time]));
    this.opened = Date.now();
    this.rules.clear();
    for (const rule of rules) this.rules.set(rule.id, rule);
    this.panel.show(rules);
    const place = byId("cameras");
    place.replaceChildren();
    this.cards.clear();
    for (const camera of cameras) {
      const card = new CameraCard(camera, this.rules, () => this.api.picture(camera.id));
      this.cards.set(camera.id, card);
      place.append(card.root);
      const time = newest.get(camera.id);
      if (time) card.showPast(time);
    }
    await Promise.all(rules.slice(0, kMaxHistories).map((rule) => this.remember(rule.id)));
    if (cameras.length === 0) place.textContent = "No cameras yet: make one with POST /v1/cameras.";
    this.names.clear();
    for (const camera of cameras) this.names.set(camera.id, camera.name);
    this.alerts.reset(this.names);
    for (const alert of [...alerts.items].reverse()) {
      this.alerts.put({ id: alert.id, camera: alert.camera, question: alert.detail.question ?? "", severity: alert.severity,
                        fired: alert.fired, resolved: alert.resolved });
    }
    void this.receivers.refresh();
  }

  /// What was edited, here or by somebody else, is on the page with the next frame.
  private async readRules(): Promise<void> {
    const rules = await this.api.list<Rule>("/v1/rules", 1000).catch(() => null);  // the next round tries again
    if (!rules || this.stop.signal.aborted) return;
    if (rules.length === this.rules.size && rules.every((rule) => this.rules.get(rule.id)?.version === rule.version)) return;
    this.rules.clear();
    for (const rule of rules) this.rules.set(rule.id, rule);
    this.panel.show(rules);
    for (const card of this.cards.values()) card.forgetRules();
    await Promise.all(rules.slice(0, kMaxHistories).map((rule) => this.remember(rule.id)));
  }

  /// The rule's newest answers on each camera, so that a page just opened has a past.
  private async remember(rule: string): Promise<void> {
    const why = await this.api.get<Why>(`/v1/rules/${rule}/why`).catch(() => null);  // then it begins now
    for (const outcome of [...(why?.newest ?? [])].reverse()) {
      if (typeof outcome.p_yes === "number") this.cards.get(outcome.camera)?.rowOf(rule).remember(Date.parse(outcome.time), outcome.p_yes);
    }
  }

  /// Follows the live stream until closed; after a break everything is read anew, so nothing is missed.
  async follow(): Promise<void> {
    for (let pause = 1000; !this.stop.signal.aborted; pause = Math.min(2 * pause, kLongestPause)) {
      try {
        await this.api.live((name, data) => this.hear(name, data), this.stop.signal, () => {
          pause = 1000;
          say("live", "live");
        });
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) return leave("The token is no longer valid.");
        if (this.stop.signal.aborted) return;
      }
      say("connecting", "connecting");
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      await this.open().catch(() => undefined);  // the next round tries again
    }
  }

  close(): void {
    this.stop.abort();
    clearInterval(this.timer);
    this.why.close();
    this.panel.close();
    this.receivers.close();
  }

  /// Reads everything anew, now and then at most.
  private reopen(): void {
    if (Date.now() - this.opened < kReopenEvery) return;
    this.opened = Date.now();
    void this.open().catch(() => undefined);  // what comes next tries again
  }

  private hear(name: string, data: string): void {
    if (name === "frame") {
      const result = JSON.parse(data) as FrameResult;
      const card = this.cards.get(result.camera);
      card?.show(result);
      if (!card || result.rules.some((outcome) => !this.rules.has(outcome.rule))) this.reopen();  // made since
    } else if (name === "alert") {
      const notice = JSON.parse(data) as Notice;
      const fired = notice.type === "alert.fired", over = notice.type === "alert.resolved";
      this.alerts.put({ id: notice.alert, camera: notice.camera, question: notice.question, severity: notice.severity,
                        fired: fired ? notice.time : notice.since, resolved: over ? notice.time : null });
      void this.receivers.refresh();
    }
  }
}

let home: Home | null = null;

function leave(why: string): void {
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
  const api = new Api(token);
  say("connecting", "connecting");
  try {
    const me = await api.get<{ role: string }>("/v1/me");
    if (me.role !== "operator" && me.role !== "viewer") {
      return leave(`A token of the role ${me.role} sees no cameras here; use an operator's or a viewer's.`);
    }
    byId("who").textContent = me.role;
    home = new Home(api, me.role === "operator");
    await home.open();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return leave("This token opens nothing here.");
    return leave(error instanceof Refusal ? error.message : "The gateway cannot be reached.");
  }
  sessionStorage.setItem(kTokenKey, token);
  byId("trouble").textContent = "";
  const typed = byId("door").contains(document.activeElement);
  byId("door").hidden = true;
  for (const id of ["cameras", "side", "leave"]) byId(id).hidden = false;
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
const brought = new URLSearchParams(location.hash.slice(1)).get("token");
if (brought) history.replaceState(null, "", location.pathname);
const kept = brought ?? sessionStorage.getItem(kTokenKey);
if (kept) void enter(kept);
