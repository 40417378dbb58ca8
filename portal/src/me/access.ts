// The trail in words a patient understands: visits of one person that did one thing on one day are one line.
import { dayOf } from "../design/days.ts";
import type { PlainKey } from "../messages/index.ts";
import type { AccessEvent } from "./api.ts";

const WORDS: readonly (readonly [beginning: string, key: PlainKey])[] = [
  ["access.denied", "me.access.denied"],
  ["report.download", "me.access.report_download"],
  ["report.create", "me.access.report_add"],
  ["report.upload", "me.access.report_add"],
  ["report.direct", "me.access.report_add"],
  ["report.list", "me.access.report_list"],
  ["report.", "me.access.report_read"],
  ["upload.assign", "me.access.report_add"],
  ["upload.", "me.access.report_list"],
  ["patient.list", "me.access.list"],
  ["patient.search", "me.access.list"],
  ["patient.create", "me.access.created"],
  ["patient.claim", "me.access.claimed"],
  ["patient.unlink", "me.access.unlinked"],
  ["patient.links", "me.access.links"],
  ["claim_code.issue", "me.access.code"],
  ["patient.update", "me.access.changed"],
  ["patient.", "me.access.opened"],
  ["intake.record", "me.access.changed"],
  ["intake.", "me.access.opened"],
  ["observation.ingest", "me.access.measured"],
  ["observation.create", "me.access.measured"],
  ["observation.amend", "me.access.corrected"],
  ["observation.", "me.access.vitals"],
  ["live.", "me.access.live"],
  ["ward.", "me.access.live"],
  ["alert.list", "me.access.alarms"],
  ["alert.read", "me.access.alarms"],
  ["alert.", "me.access.alarm_act"],
  ["alert_rule.update", "me.access.limits_changed"],
  ["alert_rule.delete", "me.access.limits_changed"],
  ["alert_rule.", "me.access.limits"],
  ["monitoring.update", "me.access.limits_changed"],
  ["monitoring.", "me.access.limits"],
  ["care_team.join", "me.access.team_joined"],
  ["care_team.leave", "me.access.team_left"],
  ["care_team.", "me.access.team"],
  ["device.assign", "me.access.device_on"],
  ["device.unassign", "me.access.device_off"],
  ["device.", "me.access.device"],
  ["audit.", "me.access.log"],
];
const BY_ACTION: Record<AccessEvent["action"], PlainKey> = {
  R: "me.access.opened",
  C: "me.access.added",
  U: "me.access.changed",
  D: "me.access.removed",
  E: "me.access.used",
};

export function wordsOf({ event, action, outcome }: AccessEvent): PlainKey {
  if (outcome === "denied") return "me.access.denied";
  return WORDS.find(([beginning]) => event.startsWith(beginning))?.[1] ?? BY_ACTION[action];
}

/** `first` and `last`: when, of so many visits. */
export type Visit = {
  key: string;
  day: string;
  what: PlainKey;
  actor: AccessEvent["actor"];
  at: AccessEvent;
  first: string;
  last: string;
  n: number;
};

/** @param events newest first */
export function visitsOf(events: readonly AccessEvent[], zone: string | undefined): Visit[] {
  const visits = new Map<string, Visit>();
  for (const event of events) {
    const day = dayOf(Date.parse(event.recorded), zone);
    const what = wordsOf(event);
    const key = [day, event.actor.kind, event.actor.id, what].join("|");
    const known = visits.get(key);
    if (known) visits.set(key, { ...known, first: event.recorded, n: known.n + 1 });
    else visits.set(key, { key, day, what, actor: event.actor, at: event, first: event.recorded, last: event.recorded, n: 1 });
  }
  return [...visits.values()];
}

/** Somebody else than the patient; devices and the service itself see nothing. */
export const isVisitor = ({ actor, outcome }: AccessEvent, userId: string): boolean =>
  (actor.kind === "user" || actor.kind === "app") && actor.id !== userId && outcome !== "denied";
