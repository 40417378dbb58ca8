// All messages, and how one is said. English and Hindi are complete: the compiler and check.ts see to it.
import { useSyncExternalStore } from "react";
import { apiKeys } from "../../accounts/api-keys/messages.ts";
import { session } from "../../accounts/session/messages.ts";
import { language, subscribePreferences } from "../../accounts/session/preferences.ts";
import { users } from "../../accounts/users/messages.ts";
import { audit } from "../../audit/messages.ts";
import { devices } from "../../devices/messages.ts";
import { rules } from "../../monitoring/alert-rules/messages.ts";
import { alarms } from "../../monitoring/alerts/messages.ts";
import { ward } from "../../monitoring/board/messages.ts";
import { vitals } from "../../monitoring/vitals/messages.ts";
import { hospitals } from "../../organization/hospitals/messages.ts";
import { practitioners } from "../../organization/practitioners/messages.ts";
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
  ward,
  alarms,
  patients,
  record,
  vitals,
  rules,
  reports,
  uploads,
  devices,
  admin,
  users,
  practitioners,
  hospitals,
  apiKeys,
  audit,
  me,
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
/** Those that need nothing filled in, for keys that are chosen at run time. */
export type PlainMessageKey = { [K in MessageKey]: MessageParams<Messages[K]> extends [] ? K : never }[MessageKey];

/** In the language that is set now. */
export function t<K extends MessageKey>(key: K, ...[params]: MessageParams<Messages[K]>): string {
  const text = (language() === "hi" ? hi : en)[key];
  if (params === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String((params as Record<string, string | number>)[name]));
}

/** `say` for components: they are drawn again when the language changes. */
export function useTranslation(): typeof t {
  useSyncExternalStore(subscribePreferences, language);
  return t;
}

/** A message whose key is made of data, e.g. a role; the data itself where there is none. */
export function translateCode(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in en ? (language() === "hi" ? hi : en)[key as MessageKey] : value;
}
