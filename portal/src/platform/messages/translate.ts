// All messages, and their translation and formatting. English and Hindi are complete: the compiler and `npm run check:messages` see to it.
import { IntlMessageFormat } from "intl-messageformat";
import { useSyncExternalStore } from "react";
import { apiKeys } from "../../accounts/api-keys/messages.ts";
import { email } from "../../accounts/email/messages.ts";
import { factors } from "../../accounts/factors/messages.ts";
import { session } from "../../accounts/session/messages.ts";
import { getLanguage, getLocale, subscribePreferences } from "../../accounts/session/preferences.ts";
import { users } from "../../accounts/users/messages.ts";
import { audit } from "../../audit/messages.ts";
import { devices } from "../../devices/messages.ts";
import { rules } from "../../monitoring/alert-rules/messages.ts";
import { alarms } from "../../monitoring/alerts/messages.ts";
import { ward } from "../../monitoring/board/messages.ts";
import { held } from "../../monitoring/held/messages.ts";
import { observationSet } from "../../monitoring/observation-set/messages.ts";
import { rounds } from "../../monitoring/rounds/messages.ts";
import { trendMark } from "../../monitoring/trend-mark/messages.ts";
import { vitals } from "../../monitoring/vitals/messages.ts";
import { notifications } from "../../notifications/messages.ts";
import { messagePreferences } from "../../notifications/preferences/messages.ts";
import { webhooks } from "../../notifications/webhooks/messages.ts";
import { escalation } from "../../organization/escalation/messages.ts";
import { hospitals } from "../../organization/hospitals/messages.ts";
import { practitioners } from "../../organization/practitioners/messages.ts";
import { wards } from "../../organization/wards/messages.ts";
import { identity } from "../../patients/identity/messages.ts";
import { patients } from "../../patients/messages.ts";
import { me } from "../../patients/own-record/messages.ts";
import { record } from "../../patients/record/messages.ts";
import { reports } from "../../reports/messages.ts";
import { uploads } from "../../reports/upload/messages.ts";
import { admin } from "../../service/messages.ts";
import { common } from "./common.ts";
import type { MessageParams } from "./define-messages.ts";

/** A feature registers its messages here and nowhere else. */
export const CATALOGUES = {
  common,
  session,
  factors,
  email,
  ward,
  alarms,
  patients,
  record,
  identity,
  vitals,
  observationSet,
  held,
  rules,
  rounds,
  trendMark,
  reports,
  uploads,
  devices,
  admin,
  users,
  practitioners,
  hospitals,
  wards,
  escalation,
  apiKeys,
  webhooks,
  audit,
  notifications,
  me,
  messagePreferences,
} as const;

type Catalogues = typeof CATALOGUES;
type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (member: infer All) => void
  ? All
  : never;
type Messages = Intersection<Catalogues[keyof Catalogues]["en"]>;

const merge = (language: "en" | "hi") => Object.assign({}, ...Object.values(CATALOGUES).map((catalogue) => catalogue[language]));
const en: Messages = merge("en");
const hi: Record<MessageKey, string> = merge("hi");

export type MessageKey = keyof Messages;
/** Messages without placeholders, for keys chosen at run time. */
export type PlainMessageKey = { [K in MessageKey]: MessageParams<Messages[K]> extends [] ? K : never }[MessageKey];

/** Parsed messages by language and key. The library interprets them without `eval`, which the content security policy forbids. */
const formats = new Map<string, IntlMessageFormat>();

function getFormat(key: MessageKey): IntlMessageFormat {
  const id = `${getLanguage()} ${key}`;
  const cached = formats.get(id);
  if (cached) return cached;
  const text = (getLanguage() === "hi" ? hi : en)[key];
  const format = new IntlMessageFormat(text, getLocale(), undefined, { ignoreTag: true });
  formats.set(id, format);
  return format;
}

/** Translates into the current language. */
export function t<K extends MessageKey>(key: K, ...[params]: MessageParams<Messages[K]>): string {
  if (params === undefined) return (getLanguage() === "hi" ? hi : en)[key];
  return String(getFormat(key).format(params));
}

/** `t` for components: they render again when the language changes. */
export function useTranslation(): typeof t {
  useSyncExternalStore(subscribePreferences, getLanguage);
  return t;
}

/** Message whose key is built from data, e.g. a role; falls back to the data itself. */
export function translateCode(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in en ? (getLanguage() === "hi" ? hi : en)[key as MessageKey] : value;
}
