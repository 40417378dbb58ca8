// The catalogue of messages in the language of this browser. Both languages stand beside each other in the source; the build makes a
// chunk of each (scripts/portal-messages.mjs), and a browser loads its own.
import type { apiKeys } from "../../accounts/api-keys/messages.ts";
import type { email } from "../../accounts/email/messages.ts";
import type { factors } from "../../accounts/factors/messages.ts";
import type { session } from "../../accounts/session/messages.ts";
import { type Language, setPreferences } from "../../accounts/session/preferences.ts";
import type { users } from "../../accounts/users/messages.ts";
import type { analytics } from "../../analytics/messages.ts";
import type { audit } from "../../audit/messages.ts";
import type { appointments } from "../../care/appointments/messages.ts";
import type { availability } from "../../care/availability/messages.ts";
import type { calendar } from "../../care/calendar/messages.ts";
import type { clinic } from "../../care/clinic/messages.ts";
import type { encounters } from "../../care/encounters/messages.ts";
import type { exports } from "../../care/exports/messages.ts";
import type { timeline } from "../../care/timeline/messages.ts";
import type { guardians } from "../../consents/guardians/messages.ts";
import type { consents } from "../../consents/messages.ts";
import type { devices } from "../../devices/messages.ts";
import type { requests } from "../../document-requests/messages.ts";
import type { documents } from "../../documents/messages.ts";
import type { emergency } from "../../emergency/messages.ts";
import type { erasure } from "../../erasure/messages.ts";
import type { rules } from "../../monitoring/alert-rules/messages.ts";
import type { alarms } from "../../monitoring/alerts/messages.ts";
import type { ward } from "../../monitoring/board/messages.ts";
import type { held } from "../../monitoring/held/messages.ts";
import type { observationSet } from "../../monitoring/observation-set/messages.ts";
import type { rounds } from "../../monitoring/rounds/messages.ts";
import type { trendMark } from "../../monitoring/trend-mark/messages.ts";
import type { vitals } from "../../monitoring/vitals/messages.ts";
import type { notifications } from "../../notifications/messages.ts";
import type { messagePreferences } from "../../notifications/preferences/messages.ts";
import type { webhooks } from "../../notifications/webhooks/messages.ts";
import type { escalation } from "../../organization/escalation/messages.ts";
import type { hospitals } from "../../organization/hospitals/messages.ts";
import type { practitioners } from "../../organization/practitioners/messages.ts";
import type { wards } from "../../organization/wards/messages.ts";
import type { identity } from "../../patients/identity/messages.ts";
import type { intake } from "../../patients/intake/messages.ts";
import type { merge } from "../../patients/merge/messages.ts";
import type { patients } from "../../patients/messages.ts";
import type { me } from "../../patients/own-record/messages.ts";
import type { record } from "../../patients/record/messages.ts";
import type { privacy } from "../../privacy/messages.ts";
import type { reports } from "../../reports/messages.ts";
import type { uploads } from "../../reports/upload/messages.ts";
import type { writtenReports } from "../../reports/written/messages.ts";
import type { rotation } from "../../service/keys/messages.ts";
import type { admin } from "../../service/messages.ts";
import { throwUnreachable } from "../api/problem.ts";
import type { common } from "./common.ts";
import type { MessageParams } from "./define-messages.ts";

/** A feature registers its messages here and nowhere else. */
type Registered = [
  typeof common,
  typeof session,
  typeof factors,
  typeof email,
  typeof ward,
  typeof alarms,
  typeof patients,
  typeof record,
  typeof identity,
  typeof vitals,
  typeof observationSet,
  typeof held,
  typeof rules,
  typeof rounds,
  typeof trendMark,
  typeof reports,
  typeof uploads,
  typeof documents,
  typeof consents,
  typeof guardians,
  typeof requests,
  typeof devices,
  typeof admin,
  typeof users,
  typeof practitioners,
  typeof hospitals,
  typeof wards,
  typeof escalation,
  typeof apiKeys,
  typeof webhooks,
  typeof audit,
  typeof privacy,
  typeof emergency,
  typeof erasure,
  typeof rotation,
  typeof notifications,
  typeof me,
  typeof messagePreferences,
  typeof availability,
  typeof calendar,
  typeof appointments,
  typeof clinic,
  typeof encounters,
  typeof timeline,
  typeof exports,
  typeof writtenReports,
  typeof intake,
  typeof merge,
  typeof analytics,
];

type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (member: infer All) => void
  ? All
  : never;
export type Messages = Intersection<Registered[number]["en"]>;
export type MessageKey = keyof Messages;
/** Messages without placeholders, for keys chosen at run time. */
export type PlainMessageKey = { [K in MessageKey]: MessageParams<Messages[K]> extends [] ? K : never }[MessageKey];
export type Catalogue = Readonly<Record<MessageKey, string>>;

const catalogues = new Map<Language, Catalogue>();

/** @throws unless it has been loaded: the first page is rendered after that */
export function getCatalogue(language: Language): Catalogue {
  const catalogue = catalogues.get(language);
  if (!catalogue) throw new Error(`messages are not loaded: ${language}`);
  return catalogue;
}

/** @throws {Problem} `unreachable` */
export async function loadCatalogue(language: Language): Promise<void> {
  if (catalogues.has(language)) return;
  const load = language === "hi" ? import("virtual:messages/hi") : import("virtual:messages/en");
  const { default: messages } = await load.catch(throwUnreachable);
  catalogues.set(language, messages);
}

let chosen: Language | undefined;

/**
 * Makes a language this browser's once its messages are there, unless another was chosen meanwhile.
 * @throws {Problem} `unreachable`; then nothing changes
 */
export async function changeLanguage(language: Language): Promise<void> {
  chosen = language;
  await loadCatalogue(language);
  if (chosen === language) setPreferences({ language });
}
