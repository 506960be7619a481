// A small chart, over time, of how sure the answer is that a rule waits for: line, threshold, unsure band. SVG; colours come from the style sheet.

export interface Plotted {
  expect: "yes" | "no";
  threshold: number;
  unsure_band: number;
  points: [timeMs: number, p: number][];  // of `expect`; oldest first
}

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 64;
const PAD = 3;
const WINDOW_MS = 120_000;

function add(parent: Element, name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  parent.append(element);
  return element;
}

const y = (p: number): number => PAD + (1 - p) * (HEIGHT - 2 * PAD);

export class Chart {
  readonly element: SVGSVGElement;
  private readonly area: SVGElement;
  private readonly line: SVGElement;
  private readonly dot: SVGElement;

  constructor(rule: Plotted) {
    this.element = document.createElementNS(NS, "svg");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", `Probability of ${rule.expect}: no answer yet`);
    this.element.classList.add("chart");
    const edge = rule.threshold, band = rule.threshold - rule.unsure_band;
    const [top, bottom] = [Math.min(y(edge), y(band)), Math.max(y(edge), y(band))];
    add(this.element, "rect", { class: "band", x: 0, width: WIDTH, y: top, height: Math.max(0, bottom - top) });
    this.area = add(this.element, "path", { class: "area" });
    add(this.element, "line", { class: "threshold", x1: 0, x2: WIDTH, y1: y(edge), y2: y(edge) });
    this.line = add(this.element, "path", { class: "line" });
    this.dot = add(this.element, "path", { class: "dot" });
  }

  update(rule: Plotted, nowMs: number): void {
    const points = rule.points.filter(([time]) => time > nowMs - WINDOW_MS);
    if (points.length === 0) return;
    const start = Math.min(Math.max(points[0]![0], nowMs - WINDOW_MS), nowMs - 1000);
    const span = nowMs - start;
    const x = (time: number): string => (PAD + ((time - start) / span) * (WIDTH - 2 * PAD)).toFixed(1);
    // An answer holds until the next one: steps, not slopes.
    let path = "";
    for (const [time, p] of points) path += path === "" ? `M${x(time)} ${y(p).toFixed(1)}` : `H${x(time)}V${y(p).toFixed(1)}`;
    path += `H${x(nowMs)}`;
    this.line.setAttribute("d", path);
    this.area.setAttribute("d", `${path}V${HEIGHT}H${x(points[0]![0])}Z`);
    const last = points.at(-1)!;
    this.dot.setAttribute("d", `M${x(nowMs)} ${y(last[1]).toFixed(1)}h.01`);
    const seconds = Math.round(span / 1000);
    this.element.setAttribute("aria-label", `Probability of ${rule.expect} over the last ${seconds} seconds, now ${Math.round(last[1] * 100)} %`);
  }
}
