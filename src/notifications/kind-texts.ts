// The words of every kind of notification, in each language (texts/).
import { ACCOUNT_TEXTS } from "./texts/account-texts.ts";
import { APPOINTMENT_TEXTS } from "./texts/appointment-texts.ts";
import { CARE_TEXTS } from "./texts/care-texts.ts";
import type { KindTexts } from "./texts/kind-text.ts";
import { RECORD_TEXTS } from "./texts/record-texts.ts";
import { TRUST_TEXTS } from "./texts/trust-texts.ts";

export const TEXTS: KindTexts = { ...CARE_TEXTS, ...ACCOUNT_TEXTS, ...TRUST_TEXTS, ...APPOINTMENT_TEXTS, ...RECORD_TEXTS };
