// All messages, and how one is said. English and Hindi are complete: the compiler and check.ts see to it.
import { useSyncExternalStore } from "react";
import { admin } from "../admin/messages.ts";
import { alarms } from "../alarms/messages.ts";
import { apiKeys } from "../api-keys/messages.ts";
import { audit } from "../audit/messages.ts";
import { devices } from "../devices/messages.ts";
import { hospitals } from "../hospitals/messages.ts";
import { me } from "../me/messages.ts";
import { patients } from "../patients/messages.ts";
import { record } from "../patients/record-messages.ts";
import { practitioners } from "../practitioners/messages.ts";
import { reports } from "../reports/messages.ts";
import { rules } from "../rules/messages.ts";
import { session } from "../session/messages.ts";
import { language, subscribe } from "../session/preferences.ts";
import { uploads } from "../uploads/messages.ts";
import { users } from "../users/messages.ts";
import { vitals } from "../vitals/messages.ts";
import { ward } from "../ward/messages.ts";
import type { ParamsOf } from "./catalogue.ts";
import { common } from "./common.ts";

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

const en = {
  ...common.en,
  ...session.en,
  ...ward.en,
  ...alarms.en,
  ...patients.en,
  ...record.en,
  ...vitals.en,
  ...rules.en,
  ...reports.en,
  ...uploads.en,
  ...devices.en,
  ...admin.en,
  ...users.en,
  ...practitioners.en,
  ...hospitals.en,
  ...apiKeys.en,
  ...audit.en,
  ...me.en,
};
const hi: Record<Key, string> = {
  ...common.hi,
  ...session.hi,
  ...ward.hi,
  ...alarms.hi,
  ...patients.hi,
  ...record.hi,
  ...vitals.hi,
  ...rules.hi,
  ...reports.hi,
  ...uploads.hi,
  ...devices.hi,
  ...admin.hi,
  ...users.hi,
  ...practitioners.hi,
  ...hospitals.hi,
  ...apiKeys.hi,
  ...audit.hi,
  ...me.hi,
};

export type Key = keyof typeof en;
/** Those that need nothing filled in, for keys that are chosen at run time. */
export type PlainKey = { [K in Key]: ParamsOf<(typeof en)[K]> extends [] ? K : never }[Key];

/** In the language that is set now. */
export function say<K extends Key>(key: K, ...[params]: ParamsOf<(typeof en)[K]>): string {
  const text = (language() === "hi" ? hi : en)[key];
  if (params === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String((params as Record<string, string | number>)[name]));
}

/** `say` for components: they are drawn again when the language changes. */
export function useSay(): typeof say {
  useSyncExternalStore(subscribe, language);
  return say;
}

/** A message whose key is made of data, e.g. a role; the data itself where there is none. */
export function sayOf(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in en ? (language() === "hi" ? hi : en)[key as Key] : value;
}
