// Translation and formatting of messages. English and Hindi are complete: the compiler and `npm run check:messages` see to it.
import { IntlMessageFormat } from "intl-messageformat";
import { useSyncExternalStore } from "react";
import { getLanguage, getLocale, subscribePreferences } from "../../accounts/session/preferences.ts";
import { getCatalogue, type MessageKey, type Messages } from "./catalogues.ts";
import type { MessageParams } from "./define-messages.ts";

export type { MessageKey, PlainMessageKey } from "./catalogues.ts";

/** Parsed messages by language and key. The library interprets them without `eval`, which the content security policy forbids. */
const formats = new Map<string, IntlMessageFormat>();

function getFormat(key: MessageKey): IntlMessageFormat {
  const id = `${getLanguage()} ${key}`;
  const cached = formats.get(id);
  if (cached) return cached;
  const format = new IntlMessageFormat(getCatalogue(getLanguage())[key], getLocale(), undefined, { ignoreTag: true });
  formats.set(id, format);
  return format;
}

/** Translates into the current language. */
export function t<K extends MessageKey>(key: K, ...[params]: MessageParams<Messages[K]>): string {
  if (params === undefined) return getCatalogue(getLanguage())[key];
  return String(getFormat(key).format(params));
}

/** `t` for components: they render again when the language changes. */
export function useTranslation(): typeof t {
  useSyncExternalStore(subscribePreferences, getLanguage);
  return t;
}

/** Message whose key is built from data, e.g. a role; falls back to the data itself. */
export function translateCode(prefix: string, value: string): string {
  const catalogue: Readonly<Record<string, string>> = getCatalogue(getLanguage());
  return catalogue[`${prefix}.${value}`] ?? value;
}
