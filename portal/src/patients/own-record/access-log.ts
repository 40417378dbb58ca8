// Access log in plain language: what was done and why; repeated accesses on one day are one row.
import { dayInZone } from "../../platform/design/calendar-days.ts";
import type { PlainMessageKey } from "../../platform/messages/translate.ts";

/** What the rows of the log are made of; the API's events have more. */
export type LoggedAccess = {
  recorded: string;
  event: string;
  request_id: string;
  action: "C" | "R" | "U" | "D" | "E";
  outcome: "success" | "denied" | "failed";
  actor: { kind: string; id: string | null; role: string | null };
  purpose: string | null;
  basis: string | null;
};

const EVENT_MESSAGES: readonly (readonly [beginning: string, key: PlainMessageKey])[] = [
  ["access.denied", "me.access.denied"],
  ["report.download", "me.access.report_download"],
  ["report.create", "me.access.report_add"],
  ["report.upload", "me.access.report_add"],
  ["report.direct", "me.access.report_add"],
  ["report.list", "me.access.report_list"],
  ["report.moved_out", "me.access.report_moved_out"],
  ["report.moved_in", "me.access.report_moved_in"],
  ["report.correct", "me.access.report_correct"],
  ["report.entered_in_error", "me.access.report_correct"],
  ["report.restored", "me.access.report_correct"],
  ["report.", "me.access.report_read"],
  ["document.create", "me.access.document_add"],
  ["document.replace", "me.access.document_add"],
  ["document.replay", "me.access.document_add"],
  ["document.duplicate", "me.access.document_refused"],
  ["document.refuse", "me.access.document_refused"],
  ["document.list", "me.access.document_list"],
  ["document.download", "me.access.document_download"],
  ["document.link", "me.access.document_download"],
  ["document.entered_in_error", "me.access.document_in_error"],
  ["document.", "me.access.document_read"],
  ["upload.assign", "me.access.report_add"],
  ["upload.", "me.access.report_list"],
  ["patient.list", "me.access.list"],
  ["patient.search", "me.access.list"],
  ["patient.create", "me.access.created"],
  ["patient.claim", "me.access.claimed"],
  ["patient.unlink", "me.access.unlinked"],
  ["patient.links", "me.access.links"],
  ["claim_code.issue", "me.access.code"],
  ["claim_code.", "me.access.links"],
  ["patient.duplicates", "me.access.list"],
  ["patient.update", "me.access.changed"],
  ["patient.", "me.access.opened"],
  ["intake.record", "me.access.changed"],
  ["intake.", "me.access.opened"],
  ["observation.ingest", "me.access.measured"],
  ["observation.create", "me.access.measured"],
  ["access.summary", "me.access.measured"],
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
  ["privacy_question.", "me.access.question"],
  ["privacy_review.", "me.access.review"],
  ["emergency_access.start", "me.access.emergency_start"],
  ["emergency_access.end", "me.access.emergency_end"],
  ["emergency_access.", "me.access.emergency"],
];
/** The event of a change that was begun; the one of its result has the name without this end. */
const BEGIN = /_begin$/;
const ACTION_MESSAGES: Record<LoggedAccess["action"], PlainMessageKey> = {
  R: "me.access.opened",
  C: "me.access.added",
  U: "me.access.changed",
  D: "me.access.removed",
  E: "me.access.used",
};

export function accessMessageKey({
  event,
  action,
  outcome,
}: Pick<LoggedAccess, "event" | "action" | "outcome">): PlainMessageKey {
  if (outcome === "denied") return "me.access.denied";
  if (BEGIN.test(event)) return "me.access.begun";
  return EVENT_MESSAGES.find(([prefix]) => event.startsWith(prefix))?.[1] ?? ACTION_MESSAGES[action];
}

/** Leaves out begins of which the result, or the refusal of the request, is among the events too. */
export function withoutEndedBegins<E extends LoggedAccess>(events: readonly E[]): E[] {
  const results = new Set(events.map(({ request_id, event }) => `${request_id} ${event}`));
  const isEnded = ({ request_id, event }: E) =>
    [event.replace(BEGIN, ""), "access.denied"].some((result) => results.has(`${request_id} ${result}`));
  return events.filter((event) => !BEGIN.test(event.event) || !isEnded(event));
}

/** By code of HL7's v3-PurposeOfUse. */
const PURPOSE_MESSAGES: Readonly<Record<string, PlainMessageKey>> = {
  TREAT: "me.why.purpose.treatment",
  HOPERAT: "me.why.purpose.administration",
  HSYSADMIN: "me.why.purpose.administration",
  BTG: "me.why.purpose.emergency",
};
const BASIS_MESSAGES: Readonly<Record<string, PlainMessageKey>> = {
  guardian: "me.why.basis.guardian",
  care_team: "me.why.basis.care_team",
  staff: "me.why.basis.staff",
  admin: "me.why.basis.admin",
  device: "me.why.basis.device",
  app: "me.why.basis.app",
  consent: "me.why.basis.consent",
  emergency: "me.why.basis.emergency",
};

/** Why somebody saw the record, in sentences: for what purpose, and on which basis. */
export function accessReasonKeys(event: LoggedAccess, userId: string): PlainMessageKey[] {
  const { actor, outcome, purpose, basis } = event;
  if (actor.id === userId || basis === "self") return ["me.why.own"];
  if (outcome === "denied") return ["me.why.denied"];
  const purposeKey = purpose === null ? "me.why.purpose_unknown" : (PURPOSE_MESSAGES[purpose] ?? "me.why.purpose_other");
  const basisKey = basis === null ? undefined : BASIS_MESSAGES[basis];
  return basisKey ? [purposeKey, basisKey] : [purposeKey];
}

/** `events`: newest first, all of one actor, action, reason and day. */
export type AccessGroup<E extends LoggedAccess> = {
  key: string;
  messageKey: PlainMessageKey;
  reasonKeys: readonly PlainMessageKey[];
  latestEvent: E;
  events: readonly E[];
};

/** @param events newest first */
export function groupAccessEvents<E extends LoggedAccess>(
  events: readonly E[],
  userId: string,
  zone: string | undefined,
): AccessGroup<E>[] {
  const groups = new Map<string, AccessGroup<E> & { events: E[] }>();
  for (const event of withoutEndedBegins(events)) {
    const day = dayInZone(Date.parse(event.recorded), zone);
    const messageKey = accessMessageKey(event);
    const reasonKeys = accessReasonKeys(event, userId);
    const key = [day, event.actor.kind, event.actor.id, messageKey, ...reasonKeys].join("|");
    const group = groups.get(key);
    if (group) group.events.push(event);
    else groups.set(key, { key, messageKey, reasonKeys, latestEvent: event, events: [event] });
  }
  return [...groups.values()];
}

/** Excludes the patient's own accesses, devices and the service itself. */
export const isOtherPerson = ({ actor, outcome }: LoggedAccess, userId: string): boolean =>
  (actor.kind === "user" || actor.kind === "app") && actor.id !== userId && outcome !== "denied";
