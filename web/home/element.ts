// Elements of the page. Texts of people are set as text, never as markup.
export function byId<T extends HTMLElement = HTMLElement>(id: string): T { return document.getElementById(id) as T; }

export function make<K extends keyof HTMLElementTagNameMap>(name: K, className: string, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/// With what a person wrote, which runs in the direction of its own script.
export function words<K extends keyof HTMLElementTagNameMap>(name: K, className: string, text: string): HTMLElementTagNameMap[K] {
  const made = make(name, className, text);
  made.dir = "auto";
  return made;
}

export function timeOfDay(time: string): string { return new Date(time).toLocaleTimeString(); }

/// Its choices: value and text of each.
export function fillSelect(select: HTMLSelectElement, choices: [value: string, text: string][], chosen: string): void {
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  select.value = chosen;
}

/// A button of a line that is made anew now and then: `key` tells it from all others, `name` too, for who does not see the line.
export function lineButton(text: string, name: string, key: string, pressed: () => void): HTMLButtonElement {
  const made = make("button", "small", text);
  made.type = "button";
  made.setAttribute("aria-label", name);
  made.dataset["key"] = key;
  made.addEventListener("click", pressed);
  return made;
}

/// One that is not shown cannot have the focus: it is none.
function byKey(key: string | undefined): HTMLElement | null {
  const found = key === undefined ? null : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  return found?.getClientRects().length ? found : null;
}

/// Replaces the children. The focus stays with the key that has it; with one that is gone it goes to `otherwise`.
export function replaceLines(list: HTMLElement, lines: HTMLElement[], otherwise: HTMLElement): void {
  const held = list.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["key"] : undefined;
  list.replaceChildren(...lines);
  if (held !== undefined) (byKey(held) ?? otherwise).focus();
}

/// Shows it over the page. When it is closed the focus goes back to where it was, or, if that has gone, to `otherwise`.
export function showDialog(dialog: HTMLDialogElement, otherwise: HTMLElement): void {
  const key = (document.activeElement as HTMLElement | null)?.dataset["key"];
  dialog.showModal();
  const closed = () => {
    if (dialog.open) return;  // it was shown again before it was told that it was closed
    dialog.removeEventListener("close", closed);
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (lost) (byKey(key) ?? otherwise).focus();
  };
  dialog.addEventListener("close", closed);
}
