// A camera's card: its newest frame, and what each rule makes of it.
import { Camera, FrameResult, Past, Rule, Source } from "./api";
import { lineButton, make, timeOfDay, words } from "./element";
import { reasonText } from "./reasons";
import { RuleRow } from "./rule_row";

const kPictureEvery = 1000;  // ms between pictures of one camera

export class CameraCard {
  readonly root = make("article", "camera");
  private readonly image = make("img", "");
  private readonly source = words("p", "source", "");
  private readonly unsent = make("p", "unsent");  // nobody sends its frames, nor are they fetched
  private readonly caption = make("figcaption", "quiet", "no frame yet");
  private readonly answers = make("ul", "answers");
  private readonly rows = new Map<string, RuleRow>();
  private shown = "";  // URL of the picture on the page
  private next = 0;    // the earliest time of another picture
  private waiting = false;

  /// `edit`: shows its form, `send` that of a device that sends its frames; null, who looks may not.
  constructor(private readonly camera: Camera, private readonly rules: Map<string, Rule>, private readonly picture: () => Promise<Blob>,
              edit: (() => void) | null, send: (() => void) | null) {
    const title = make("h2", "");
    title.append(words("span", "", camera.name));
    for (const [key, value] of Object.entries(camera.labels)) title.append(words("span", "label", `${key} ${value}`));
    if (!camera.enabled) title.append(make("span", "label", "off"));
    if (edit) title.append(lineButton("Edit", `Edit camera: ${camera.name}`, `camera ${camera.id}`, edit));
    this.source.hidden = true;
    this.image.alt = `Newest frame of ${camera.name}`;
    this.image.hidden = true;
    const figure = make("figure", "");
    figure.append(this.image, this.caption);
    this.unsent.hidden = camera.source !== null || camera.device !== null || send === null;
    this.unsent.append(make("span", "", "Nothing sends its frames yet. Edit it and say where they are fetched, or "));
    if (send) this.unsent.append(lineButton("add a device that sends them", `Add a device that sends: ${camera.name}`, `send ${camera.id}`, send));
    this.root.append(title, this.source, figure, this.unsent, this.answers);
  }

  /// Whether nothing that is shown of it has changed.
  isOf(camera: Camera): boolean { return JSON.stringify(camera) === JSON.stringify(this.camera); }

  /// How the fetching of its frames does; undefined: they are sent.
  showSource(source: Source | undefined): void {
    const said = source === undefined || source.state === "running"
                 ? source?.last_refusal ? `Frames refused: ${reasonText(source.last_refusal)}` : ""
               : source.state === "starting" ? "Waiting for its first frame…"
               : source.state === "waiting" ? `No frames come, and it is tried again: ${source.last_error ?? ""}`
               : source.last_error ? `No frames come any more: ${source.last_error}` : "It has ended.";
    this.source.textContent = said;
    this.source.hidden = said === "";
  }

  /// The newest picture, at most one a second; the one that comes while it waits is the newest then.
  showPicture(): void {
    if (this.waiting) return;
    this.waiting = true;
    setTimeout(() => {
      this.waiting = false;
      this.next = Date.now() + kPictureEvery;
      this.picture().then((blob) => {
        URL.revokeObjectURL(this.shown);
        this.shown = URL.createObjectURL(blob);
        this.image.src = this.shown;
        this.image.hidden = false;
        this.unsent.hidden = true;
      }, () => undefined);  // none is kept: the last one stays
    }, Math.max(0, this.next - Date.now()));
  }

  /// A frame of before the page was opened, which the gateway has kept.
  showPast(time: string): void {
    this.caption.textContent = timeOfDay(time);
    this.showPicture();
  }

  show(result: FrameResult): void {
    const by = result.pool ? ` by ${result.pool}` : "";
    this.caption.textContent = timeOfDay(result.time) + (result.trouble ? ` · ${result.trouble.reason || result.trouble.message}`
      : result.asked ? ` · answered${by} in ${Math.max(1, Math.round(result.total_ms))} ms` : " · unchanged, not asked");
    this.showPicture();
    if (result.rules.length === 0) return;
    const timeMs = Date.parse(result.time);
    for (const outcome of result.rules) this.rowOf(outcome.rule).show(outcome, timeMs);
    this.place(result.rules.map((outcome) => this.rowOf(outcome.rule)));
  }

  /// An outcome of before the page was opened; the oldest of a rule first.
  remember(rule: string, outcome: Past): void { this.rowOf(rule).remember(outcome, Date.parse(outcome.time)); }

  /// The rows of these rules that have a past, in that order.
  showRemembered(rules: string[]): void {
    this.place(rules.flatMap((rule) => this.rows.get(rule) ?? []));
  }

  private place(rows: RuleRow[]): void {
    if (rows.length !== this.answers.childElementCount || rows.some((row, i) => row.root !== this.answers.children[i])) {
      this.answers.replaceChildren(...rows.map((row) => row.root));
    }
    this.root.classList.toggle("firing", rows.some((row) => row.firing));
  }

  /// Rules have changed: their rows are made anew.
  forgetRules(): void { this.rows.clear(); }

  /// The rule's row, made when it is first heard of.
  rowOf(rule: string): RuleRow {
    let row = this.rows.get(rule);
    if (!row) this.rows.set(rule, row = new RuleRow(rule, this.rules.get(rule)));
    return row;
  }
}
