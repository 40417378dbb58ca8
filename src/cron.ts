// The cleanup job: expired login attempts, idempotency keys and claim codes, and files without a database row.

import { lt } from "drizzle-orm";
import { summarizeUncounted } from "./access/row-allowance.ts";
import { EMAIL_LINK_KEPT_MS } from "./accounts/email/email-links.ts";
import { pruneCeremonies } from "./accounts/factors/ceremonies.ts";
import { pruneLoginAttempts } from "./accounts/passwords/lockout.ts";
import { pruneCare } from "./care-jobs.ts";
import { pruneGuardianCodes } from "./consents/guardian-codes.ts";
import { pruneOffers } from "./consents/offers.ts";
import { pruneDeviceClaimCodes } from "./devices/claim-codes.ts";
import { endRequests, selectDueRequests } from "./document-requests/expire-requests.ts";
import { pruneIdempotencyKeys } from "./http/idempotency.ts";
import { pruneHeldObservations } from "./monitoring/history/held-observations.ts";
import { pruneMessages } from "./notifications/delivery/prune.ts";
import { CLAIM_CODE_KEPT_MS } from "./patients/record/claim-codes.ts";
import { getVerifiedKeys } from "./platform/config.ts";
import { batch, getDb } from "./platform/db/client.ts";
import { emailLinks, passwordResets, patientClaimCodes, phoneCodes } from "./platform/db/schema.ts";
import { log } from "./platform/log.ts";
import { pruneDayCounters } from "./platform/storage-quotas.ts";
import { DAY_MS } from "./platform/time.ts";
import { expireDirectUploads, sweepDirectUploads, sweepOrphans, sweepSettledUploads } from "./reports/reading/sweep.ts";

export async function runCleanup(env: Env, now: number): Promise<void> {
  const db = getDb(env.DB);
  const keys = await getVerifiedKeys(env);
  const [dueRequests] = await batch(db, [
    selectDueRequests(db, now),
    pruneLoginAttempts(db, now),
    pruneCeremonies(db, now),
    pruneIdempotencyKeys(db, now),
    ...summarizeUncounted(db, now),
    pruneDayCounters(db, now),
    expireDirectUploads(db, now),
    pruneDeviceClaimCodes(db, now),
    pruneOffers(db, now),
    pruneGuardianCodes(db, now),
    db.delete(patientClaimCodes).where(lt(patientClaimCodes.expiresAt, now - CLAIM_CODE_KEPT_MS)),
    ...pruneHeldObservations(db, now),
    ...pruneMessages(db, now),
    ...pruneCare(db, now),
    db.delete(phoneCodes).where(lt(phoneCodes.expiresAt, now - 2 * DAY_MS)),
    db.delete(passwordResets).where(lt(passwordResets.expiresAt, now - DAY_MS)),
    db.delete(emailLinks).where(lt(emailLinks.expiresAt, now - EMAIL_LINK_KEPT_MS)),
  ]);
  await endRequests(db, dueRequests, now);
  const count = await sweepOrphans(db, env.FILES, keys.fields.keys.keys(), now);
  if (count > 0) log(env, "INFO", "orphaned files deleted", { count });
  const endedUploadCount = (await sweepDirectUploads(env.FILES, now)) + (await sweepSettledUploads(db, env.FILES));
  if (endedUploadCount > 0) log(env, "INFO", "files of ended uploads deleted", { count: endedUploadCount });
}
