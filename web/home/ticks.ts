// A list of names of which some are ticked.
import { make, words } from "./element";

export class Ticks {
  /// `root`: a fieldset with a legend, which stays.
  constructor(readonly root: HTMLElement) {}

  /// `gone`: what stands for one that is ticked and is not among them.
  show(all: { id: string; text: string }[], ticked: string[], gone: string): void {
    const known = new Set(all.map((each) => each.id));
    const lines = [...all, ...ticked.filter((id) => !known.has(id)).map((id) => ({ id, text: gone }))].map(({ id, text }) => {
      const line = make("label", "tick"), box = make("input", "");
      box.type = "checkbox";
      box.value = id;
      box.checked = ticked.includes(id);
      line.append(box, words("span", "", text));
      return line;
    });
    this.root.replaceChildren(...this.root.querySelectorAll("legend"), ...lines);
  }

  clear(): void { this.root.replaceChildren(...this.root.querySelectorAll("legend")); }

  ticked(): string[] {
    return [...this.root.querySelectorAll<HTMLInputElement>("input:checked")].map((box) => box.value);
  }
}
