// What a rule waits for, in words for a person.
import { Rule } from "./api";

export function percent(p: number): string { return `${Math.round(100 * p)} %`; }

/// "yes ≥ 70 % for 2 s": of the answer that it waits for.
export function conditionText(rule: Rule): string {
  const held = rule.for_frames ? ` in ${rule.for_frames} of ${rule.of_frames ?? rule.for_frames} frames`
             : rule.for_s ? ` for ${rule.for_s} s` : "";
  return `${rule.expect ?? "yes"} ≥ ${percent(rule.threshold ?? 0.7)}${held}`;
}

/// How sure the model was of the answer that the rule waits for: "no 97 %".
export function sureText(expect: string, pYes: number): string { return `${expect} ${percent(expect === "no" ? 1 - pYes : pYes)}`; }
