// The words of every kind of notification, in each language (texts/).
import { ACCOUNT_TEXTS } from "./texts/account-texts.ts";
import { CARE_TEXTS } from "./texts/care-texts.ts";
import type { KindTexts } from "./texts/kind-text.ts";
import { TRUST_TEXTS } from "./texts/trust-texts.ts";

export const TEXTS: KindTexts = { ...CARE_TEXTS, ...ACCOUNT_TEXTS, ...TRUST_TEXTS };
