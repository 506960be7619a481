// Elements of the page. Texts of people are set as text, never as markup.
export function byId<T extends HTMLElement = HTMLElement>(id: string): T { return document.getElementById(id) as T; }

export function make<K extends keyof HTMLElementTagNameMap>(name: K, className: string, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
