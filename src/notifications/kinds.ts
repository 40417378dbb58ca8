// Kinds of notifications and letters: how urgent each is, and by which channels a person is notified unless they choose otherwise.
import { PERSON_CHANNELS } from "../platform/db/vocabulary.ts";

export type PersonChannel = (typeof PERSON_CHANNELS)[number];
export type Priority = "alarm" | "security" | "normal";

export type KindRule = {
  /** Of an alert that does not have high priority: `normal`. */
  priority: Priority;
  /** Channels that are on unless the person or the hospital chooses otherwise. */
  defaults: readonly PersonChannel[];
  /** Channels that the person cannot switch off. */
  fixed: readonly PersonChannel[];
};

const ALARM: KindRule = { priority: "alarm", defaults: ["email", "push"], fixed: [] };
const SECURITY: KindRule = { priority: "security", defaults: ["email", "push"], fixed: ["email"] };
const NOTICE: KindRule = { priority: "normal", defaults: ["email", "push"], fixed: [] };

/** Kinds of notifications: a person finds each in the portal too. */
export const NOTIFICATION_KINDS = {
  "alert.raised": ALARM,
  "alert.escalated": ALARM,
  "alert.repeated": ALARM,
  /** A sign-in from a browser that the person never used. */
  "account.new_browser": SECURITY,
  "account.password_changed": SECURITY,
  "account.email_changed": SECURITY,
  /** A phone number, or a browser for push messages: whoever was in the account for a moment must not read along unseen. */
  "account.channel_added": { priority: "security", defaults: ["email"], fixed: ["email"] },
  "account.factor_added": SECURITY,
  "account.factor_removed": SECURITY,
  /** By an administrator; sent by every channel, so that a takeover does not pass unseen. */
  "account.factors_reset": { priority: "security", defaults: ["email", "push"], fixed: PERSON_CHANNELS },
  "account.recovery_code_used": SECURITY,
  "account.recovery_codes_replaced": SECURITY,
  /** The hospital requires a second step from a date on. */
  "account.second_step_required": NOTICE,
  /** To the person: a hospital asks to see records elsewhere. */
  "consent.requested": NOTICE,
  /** To the member of staff who asked. */
  "consent.answered": NOTICE,
  /** To the practitioner whom a person named. */
  "consent.shared": NOTICE,
  /** To the person: a hospital used a code of theirs. */
  "consent.code_used": NOTICE,
  /** To the person and the member of staff who asked: a consent or a request has ended by its time. */
  "consent.ended": NOTICE,
  /** To staff of the asked hospital, once the person has consented. */
  "document_request.received": NOTICE,
  /** Approved or rejected, and fulfilled: to the member of staff who asked, and to the person. */
  "document_request.answered": NOTICE,
  "document_request.fulfilled": NOTICE,
  /** Cancelled, expired, or its consent has ended: to those who knew of it. */
  "document_request.ended": NOTICE,
  /** To the person of a record: staff names a guardian, and confirms it, from when on the guardian decides about consents. */
  "guardian.recorded": SECURITY,
  "guardian.confirmed": SECURITY,
  "guardian.ended": NOTICE,
  /** To the person: what their guardian has decided about a consent. */
  "guardian.decided": NOTICE,
  /** To the guardian. */
  "guardianship.began": NOTICE,
  "guardianship.ended": NOTICE,
  "webhook.disabled": NOTICE,
  /** To the person of a record: it was opened in an emergency. */
  "emergency.access": SECURITY,
  /** To privacy officers and hospital administrators: a person or the hospital has many in one day. */
  "emergency.many": SECURITY,
  /** To the privacy officers: emergency access, or a patient's question. */
  "privacy.review_opened": NOTICE,
  /** To the patient who asked; the answer is read in the portal. */
  "privacy.question_answered": NOTICE,
  /** To the practitioner, and to nurses of the hospital who chose it: a person asks for an appointment. */
  "appointment.requested": NOTICE,
  /** To the person and their guardians; to the practitioner if somebody else did it. */
  "appointment.booked": NOTICE,
  "appointment.changed": NOTICE,
  "appointment.cancelled": NOTICE,
  /** To the person and their guardians: tomorrow, or in two hours. */
  "appointment.reminder": NOTICE,
  /** To the person and their guardians: a time that became free is held for them. */
  "waiting_list.offer": NOTICE,
  /** To the person: a doctor has signed a report or its amendment. */
  "report.signed": NOTICE,
  "report.amended": NOTICE,
  /** To the doctor whom another one asks to sign. */
  "report.to_sign": NOTICE,
  /** To whoever asked for the export of a record. */
  "export.ready": NOTICE,
  "export.failed": NOTICE,
  /** To the member of staff who made the link. */
  "intake.submitted": NOTICE,
  /** To the person of each of the two records. */
  "record.merged": SECURITY,
  "record.unmerged": SECURITY,
  /** Sent by the person themselves to try a channel. */
  "notification.test": { priority: "security", defaults: [], fixed: [] },
} as const satisfies Record<string, KindRule>;
export type NotificationKind = keyof typeof NOTIFICATION_KINDS;

/** Mail that contains a link, to the address that the link is about; the only mail to an address that is not verified. */
export const LETTER_KINDS = [
  "letter.email_verification",
  "letter.email_change",
  /** To the former address. */
  "letter.email_changed",
  "letter.password_reset",
  "letter.invitation",
] as const;
export type LetterKind = (typeof LETTER_KINDS)[number];

/** Event types that webhooks subscribe to. */
export const WEBHOOK_EVENTS = [
  "report.created",
  "document.created",
  "alert.raised",
  "alert.cleared",
  "upload.quarantined",
  "appointment.booked",
  "appointment.cancelled",
  "encounter.finished",
  "report.signed",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const isNotificationKind = (kind: string): kind is NotificationKind => Object.hasOwn(NOTIFICATION_KINDS, kind);

export const ruleOf = (kind: NotificationKind): KindRule => NOTIFICATION_KINDS[kind];
