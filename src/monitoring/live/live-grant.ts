// What shows a patient in a live view beyond the role: a consent or an emergency access, until when.
import { z } from "zod";
import type { RowConsent } from "../../access/consented.ts";
import type { RowEmergency } from "../../access/emergency.ts";
import { CONSENT_PURPOSES } from "../../platform/db/vocabulary.ts";

/** The consent or the emergency access by which a view shows a patient. */
export type LiveGrant = RowConsent | RowEmergency;
export const LiveGrant: z.ZodType<LiveGrant> = z.union([
  z.strictObject({
    consentId: z.string(),
    purpose: z.enum(CONSENT_PURPOSES),
    from: z.int(),
    until: z.int(),
    expiresAt: z.int(),
  }),
  z.strictObject({ emergencyId: z.string(), endsAt: z.int() }),
]);

export const isEmergency = (grant: LiveGrant): grant is RowEmergency => "emergencyId" in grant;
export const toGrantId = (grant: LiveGrant): string => (isEmergency(grant) ? grant.emergencyId : grant.consentId);

/** When a live view by this grant ends, Unix ms: when the access or the consent expires, or when its data end. */
export const grantEndsAt = (grant: LiveGrant): number =>
  isEmergency(grant) ? grant.endsAt : Math.min(grant.expiresAt, grant.until + 1);

export const isInForce = (grant: LiveGrant, now: number) => (isEmergency(grant) || grant.from <= now) && now < grantEndsAt(grant);

/** Whether frames that were limited by one may be followed by frames that are limited by the other. */
export function isSameGrant(a: LiveGrant | undefined, b: LiveGrant | undefined): boolean {
  if (!a || !b || toGrantId(a) !== toGrantId(b)) return a === b;
  return isEmergency(a) || isEmergency(b) || (a.from === b.from && a.until === b.until);
}
