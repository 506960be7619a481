// The gateway's page: an owner's cameras with their newest frames and answers, and the alerts, as they happen.
import { Alert, Api, Camera, FrameResult, Notice, Refusal, Rule, Why } from "./api";
import { AlertList, CameraCard } from "./view";

const kTokenKey = "pawsight-token";
const kMaxCameras = 200;
const kMaxAlerts = 100;
const kLongestPause = 30_000;
const kReopenEvery = 3_000;
const kMaxHistories = 32;  // rules whose answers of before are asked for

function element<T extends HTMLElement>(id: string): T { return document.getElementById(id) as T; }

const link = element("link");
function say(state: "off" | "connecting" | "live", text: string): void {
  link.dataset["state"] = state;
  link.textContent = text;
}

class Home {
  private readonly cards = new Map<string, CameraCard>();
  private readonly alerts = new AlertList(element("alert-list"), element("no-alerts"), kMaxAlerts);
  private readonly rules = new Map<string, Rule>();
  private readonly stop = new AbortController();
  private opened = 0;  // when everything was last read

  constructor(private readonly api: Api) {}

  async open(): Promise<void> {
    const [cameras, rules, alerts] = await Promise.all([
      this.api.list<Camera>("/v1/cameras", kMaxCameras), this.api.list<Rule>("/v1/rules", 1000),
      this.api.get<{ items: Alert[] }>(`/v1/alerts?limit=${kMaxAlerts}`)]);
    this.opened = Date.now();
    this.rules.clear();
    for (const rule of rules) this.rules.set(rule.id, rule);
    const place = element("cameras");
    place.replaceChildren();
    this.cards.clear();
    for (const camera of cameras) {
      const card = new CameraCard(camera, this.rules, () => this.api.picture(camera.id));
      this.cards.set(camera.id, card);
      place.append(card.root);
      card.showPicture();
    }
    await Promise.all(rules.slice(0, kMaxHistories).map((rule) => this.remember(rule.id)));
    if (cameras.length === 0) place.textContent = "No cameras yet: make one with POST /v1/cameras.";
    const names = new Map(cameras.map((camera) => [camera.id, camera.name]));
    this.alerts.reset(names);
    for (const alert of [...alerts.items].reverse()) {
      this.alerts.put({ id: alert.id, camera: alert.camera, question: alert.detail.question ?? "", severity: alert.severity,
                        fired: alert.fired, resolved: alert.resolved });
    }
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

  close(): void { this.stop.abort(); }

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
    }
  }
}

let home: Home | null = null;

function leave(why: string): void {
  home?.close();
  home = null;
  sessionStorage.removeItem(kTokenKey);
  say("off", "not signed in");
  element("who").textContent = "";
  element("trouble").textContent = why;
  for (const id of ["cameras", "alerts", "leave"]) element(id).hidden = true;
  element("door").hidden = false;
}

async function enter(token: string): Promise<void> {
  const api = new Api(token);
  say("connecting", "connecting");
  try {
    const me = await api.get<{ role: string }>("/v1/me");
    if (me.role !== "operator" && me.role !== "viewer") {
      return leave(`A token of the role ${me.role} sees no cameras here; use an operator's or a viewer's.`);
    }
    element("who").textContent = me.role;
    home = new Home(api);
    await home.open();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return leave("This token opens nothing here.");
    return leave(error instanceof Refusal ? error.message : "The gateway cannot be reached.");
  }
  sessionStorage.setItem(kTokenKey, token);
  element("trouble").textContent = "";
  element("door").hidden = true;
  for (const id of ["cameras", "alerts", "leave"]) element(id).hidden = false;
  void home.follow();
}

element<HTMLFormElement>("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = element<HTMLInputElement>("token");
  const token = input.value.trim();
  input.value = "";
  void enter(token);
});
element("leave").addEventListener("click", () => leave(""));
// A link may bring the token behind its #, which no server sees; it is taken out of the address at once.
const brought = new URLSearchParams(location.hash.slice(1)).get("token");
if (brought) history.replaceState(null, "", location.pathname);
const kept = brought ?? sessionStorage.getItem(kTokenKey);
if (kept) void enter(kept);
