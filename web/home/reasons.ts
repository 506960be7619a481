// Why a frame made, or made no, alert of a rule, in words for a person.

const kWords: Record<string, string> = {
  undecodable: "the frame is no image",
  unanswered: "no answer came",
  late: "the frame came too late",
  unchanged: "nothing changed, not asked",
  below_threshold: "no alert",
  unsure: "no alert: not sure enough",
  pending: "so, but not for long enough yet",
  cooldown: "so, but quiet after the last alert",
  fired: "alert",
  firing: "alert goes on",
  clearing: "no longer so, about to end",
  resolved: "over",
  guard: "the guard question says no",
  not_due: "not asked this time",
  snoozed: "snoozed",
  replaced: "a newer frame came first",
  shed: "too much to do",
};

export function reasonText(reason: string): string { return kWords[reason] ?? reason.replaceAll("_", " "); }
