// What staff enters to ask for documents, its checks, and what is sent. Days are in the zone of the hospital that asks.
import type { DocumentTypeCode } from "../../../src/documents/document-types.ts";
import type { CONSENT_PURPOSES } from "../../../src/platform/db/vocabulary.ts";
import { addDays, dayInZone, endOfDayIso, isDateString, startOfDayIso } from "../platform/design/calendar-days.ts";
import type { PlainMessageKey } from "../platform/messages/translate.ts";

export const MIN_DESCRIPTION_LENGTH = 3;
export const MAX_DESCRIPTION_LENGTH = 1_000;
/** As the API does without another choice. */
const DEFAULT_LIFE_DAYS = 90;
/** The API accepts five years of 366 days. */
const MAX_LIFE_DAYS = 5 * 366 - 1;

type Purpose = (typeof CONSENT_PURPOSES)[number];
/** As the API takes it. */
type NewRequest = {
  patient_id: string;
  description: string;
  expires_at: string;
  hospital_id?: string;
  type?: DocumentTypeCode;
  date_from?: string;
  date_to?: string;
  purpose?: Purpose;
};

/** `hospitalId`: empty where the patient chooses. `from`, `until`: first and last day, empty for no limit. `expires`: last day of access. */
export type RequestDraft = {
  hospitalId: string;
  type: DocumentTypeCode | "";
  description: string;
  from: string;
  until: string;
  purpose: Purpose | "";
  expires: string;
};

/** @param today of the zone */
export const newDraft = (today: string): RequestDraft => ({
  hospitalId: "",
  type: "",
  description: "",
  from: "",
  until: "",
  purpose: "",
  expires: addDays(today, DEFAULT_LIFE_DAYS),
});

export const lastAccessDay = (today: string): string => addDays(today, MAX_LIFE_DAYS);

/** What is wrong, by field of the API. @param today of the zone */
export function findFaults(draft: RequestDraft, today: string): Record<string, PlainMessageKey> {
  const { from, until, expires } = draft;
  const isNoDay = (day: string) => day !== "" && !isDateString(day);
  return {
    ...(draft.description.trim().length < MIN_DESCRIPTION_LENGTH && { description: "requests.description_short" }),
    ...(isNoDay(from) && { date_from: "consents.fault.date" }),
    ...(isNoDay(until)
      ? { date_to: "consents.fault.date" }
      : from !== "" && until !== "" && until < from && { date_to: "consents.fault.order" }),
    ...(draft.purpose === "" && { purpose: "common.required_choice" }),
    ...faultOfExpiry(expires, today),
  } satisfies Record<string, PlainMessageKey>;
}

function faultOfExpiry(expires: string, today: string): Record<string, PlainMessageKey> {
  if (!isDateString(expires)) return { expires_at: "consents.fault.date" };
  if (expires < today) return { expires_at: "consents.fault.past" };
  return expires > lastAccessDay(today) ? { expires_at: "consents.fault.life" } : {};
}

export function toRequest(patientId: string, draft: RequestDraft, zone: string | undefined): NewRequest {
  const { hospitalId, type, from, until, purpose } = draft;
  return {
    patient_id: patientId,
    description: draft.description.trim(),
    expires_at: new Date(Date.parse(endOfDayIso(draft.expires, zone)) - 1).toISOString(),
    ...(hospitalId !== "" && { hospital_id: hospitalId }),
    ...(type !== "" && { type }),
    ...(from !== "" && { date_from: startOfDayIso(from, zone) }),
    ...(until !== "" && { date_to: endOfDayIso(until, zone) }),
    ...(purpose !== "" && { purpose }),
  };
}

export const todayIn = (zone: string | undefined): string => dayInZone(Date.now(), zone);
