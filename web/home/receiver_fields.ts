// The fields of a receiver's document in the form, by its kind. What each means is in docs/receivers.md.
import { Refusal } from "./api";
import { make } from "./element";

export type Config = Record<string, unknown>;

/// How a member of the document is written in the form.
type How = "text" | "number" | "flag" | "list" | "secret" | "secrets" | "headers" | [value: string, text: string][];

interface Field {
  name: string; label: string; how: How;
  required?: true;
  placeholder?: string; hint?: string;
  initial?: string;  // of a new one; such a field is sent as it stands, empty too
  more?: true;       // is shown to who asks for more
}

const kPin: Field = { name: "pin", label: "Key of its certificate", how: "list", more: true, placeholder: "sha256//…",
                      hint: "Taken then is this key alone, also self-signed." };
const kSignIn: Field[] = [
  { name: "username", label: "User", how: "text" },
  { name: "password", label: "Password", how: "secret" },
];

const kFields: Record<string, Field[]> = {
  ntfy: [
    { name: "topic", label: "Topic", how: "text", required: true, placeholder: "paws-7f3kq2m9x4",
      hint: "Subscribe to it in the ntfy app on your phone. Who knows it can read it: make it long." },
    { name: "server", label: "Server", how: "text", placeholder: "https://ntfy.sh", more: true },
    { name: "token", label: "Access token", how: "secret", more: true },
    ...kSignIn.map((field): Field => ({ ...field, more: true })),
    kPin,
  ],
  email: [
    { name: "to", label: "To", how: "list", required: true, placeholder: "me@example.org", hint: "Up to 10, with commas between them." },
    { name: "from", label: "From", how: "text", required: true, placeholder: "paws@example.org" },
    { name: "host", label: "Mail server", how: "text", required: true, placeholder: "mail.example.org" },
    ...kSignIn,
    { name: "security", label: "Encryption", how: [["", "STARTTLS"], ["tls", "TLS"], ["none", "none"]], more: true },
    { name: "port", label: "Port", how: "number", placeholder: "587", more: true },
    kPin,
  ],
  webhook: [
    { name: "url", label: "Where to POST", how: "text", required: true, placeholder: "https://example.org/pawsight" },
    { name: "headers", label: "Headers of your own", how: "headers", placeholder: "Authorization: Bearer …", more: true,
      hint: "Up to 8, one a line. They are not shown again." },
    { name: "secrets", label: "A signing secret of your own", how: "secrets", placeholder: "whsec_…", more: true,
      hint: "Without one a new receiver gets one, which is shown once. Two while you replace one: the newer first." },
    kPin,
  ],
  mqtt: [
    { name: "host", label: "Broker", how: "text", required: true, placeholder: "192.168.1.10" },
    ...kSignIn,
    { name: "tls", label: "TLS", how: [["", "on, unless the gateway allows none"], ["true", "on"], ["false", "off"]], more: true },
    { name: "port", label: "Port", how: "number", placeholder: "8883, or 1883 without TLS", more: true },
    { name: "topic_prefix", label: "Topics begin with", how: "text", placeholder: "pawsight", more: true },
    { name: "discovery_prefix", label: "Home Assistant's prefix", how: "text", initial: "homeassistant", more: true,
      hint: "Its discovery shows cameras and rules by themselves. Empty: nothing is announced." },
    { name: "client_id", label: "Client id", how: "text", more: true },
    kPin,
  ],
};
const kEvery: Field[] = [
  { name: "pictures", label: "Pictures are sent, of cameras that keep them", how: "flag", more: true },
  { name: "updates", label: "Told too while an alert goes on", how: "flag", more: true },
];

/// Where each kind stands: the field of which an address may be wrong.
const kPlace: Record<string, string> = { ntfy: "server", email: "host", webhook: "url", mqtt: "host" };

function isSecret(how: How): boolean { return how === "secret" || how === "secrets" || how === "headers"; }

/// "Name: value" a line.
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split("\n").map((each) => each.trim()).filter(Boolean)) {
    const [, name, value] = /^([^:\s]+):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined) throw new Refusal(400, "field", "headers: want NAME: VALUE on each line");
    headers[name] = value!;
  }
  return headers;
}

function listOf(text: string): string[] { return text.split(/[\s,]+/).filter(Boolean); }

/// The form's part of one kind. Built anew for each receiver that is shown.
export class ReceiverFields {
  private kind = "";
  private readonly inputs = new Map<string, HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>();
  private readonly forgotten = new Map<string, HTMLInputElement>();  // ticked: the secret that is kept goes

  constructor(private readonly root: HTMLElement) {}

  /// `config`: the document as the API shows it; null: of a new one.
  show(kind: string, config: Config | null): void {
    this.kind = kind;
    this.inputs.clear();
    this.forgotten.clear();
    const folded = make("details", ""), more = make("div", "fields");
    folded.append(make("summary", "", "More"), more);
    const plain: HTMLElement[] = [];
    for (const field of [...kFields[kind] ?? [], ...kEvery]) {
      const parts = this.partsOf(field, config);
      if (field.more) more.append(...parts);
      else plain.push(...parts);
    }
    this.root.replaceChildren(...plain, folded);
  }

  clear(): void { this.root.replaceChildren(); }

  fieldOf(name: string): HTMLElement | undefined { return this.inputs.get(name); }
  /// The field of which the API says that its name or address is no good.
  place(): string { return kPlace[this.kind] ?? "name"; }

  /// The document to send. What the form does not know stays; a secret that is left empty stays as it is kept.
  read(before: Config | null): Config {
    const config: Config = { ...before, kind: this.kind };
    for (const field of [...kFields[this.kind] ?? [], ...kEvery]) {
      const input = this.inputs.get(field.name)!;
      const typed = field.how === "secret" ? input.value : input.value.trim();
      delete config[field.name];
      if (field.how === "flag") config[field.name] = (input as HTMLInputElement).checked;
      else if (typed !== "") config[field.name] = this.valueOf(field, typed);  // also where what was kept is forgotten
      else if (this.forgotten.get(field.name)?.checked) config[field.name] = field.how === "headers" ? {} : "";
      else if (field.initial !== undefined) config[field.name] = "";
    }
    return config;
  }

  private valueOf(field: Field, text: string): unknown {
    if (field.how === "number") return /^\d+$/.test(text) ? Number(text) : text;
    if (field.how === "headers") return headersOf(text);
    if (field.how === "list" || field.how === "secrets") return listOf(text);
    if (field.name === "tls") return text === "true";
    return text;
  }

  private partsOf(field: Field, config: Config | null): HTMLElement[] {
    const { how } = field, id = `receiver-${field.name}`;
    const label = make("label", "", field.label);
    label.htmlFor = id;
    const input = typeof how !== "string" ? make("select", "") : how === "headers" ? make("textarea", "") : make("input", "");
    input.id = id;
    this.inputs.set(field.name, input);
    const is = config?.[field.name];
    if (how === "flag") {
      const box = input as HTMLInputElement;
      box.type = "checkbox";
      box.checked = typeof is === "boolean" ? is : field.name === "updates" && this.kind === "mqtt";
      return [this.row(label, box)];
    }
    if (typeof how !== "string") {
      for (const [value, text] of how) (input as HTMLSelectElement).add(new Option(text, value));
      input.value = how.some(([value]) => value === String(is)) ? String(is) : "";
      return [this.row(label, input)];
    }
    const typed = input as HTMLInputElement | HTMLTextAreaElement;
    typed.autocomplete = how === "secret" ? "new-password" : "off";
    typed.spellcheck = false;
    typed.required = field.required === true;
    typed.placeholder = config && isSecret(how) ? "as it is" : field.placeholder ?? "";
    if (typed instanceof HTMLTextAreaElement) typed.rows = 2;
    else typed.type = how === "secret" || how === "secrets" ? "password" : "text";  // what is no number the API names
    if (how === "number") typed.inputMode = "numeric";
    typed.value = isSecret(how) ? "" : Array.isArray(is) ? is.join(", ") : is === undefined ? field.initial ?? "" : String(is);
    const parts: HTMLElement[] = [label, typed];
    if (config && isSecret(how) && how !== "secrets") parts.push(this.forgetting(field));
    if (field.hint) {
      const hint = make("p", "quiet", field.hint);
      hint.id = `${id}-hint`;
      typed.setAttribute("aria-describedby", hint.id);
      parts.push(hint);
    }
    return parts;
  }

  private row(label: HTMLElement, input: HTMLElement): HTMLElement {
    const row = make("div", "row");
    row.append(label, input);
    return row;
  }

  private forgetting(field: Field): HTMLElement {
    const line = make("label", "tick quiet"), box = make("input", "");
    box.type = "checkbox";
    this.forgotten.set(field.name, box);
    line.append(box, make("span", "", `${field.label}: forget what is kept`));
    return line;
  }
}
