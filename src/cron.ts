// What time takes away: lapsed login attempts, idempotency keys and claim codes, and files that no row names.
import { lt } from "drizzle-orm";
import { pruneAttempts } from "./accounts/passwords/lockout.ts";
import { pruneDeviceCodes } from "./devices/claims.ts";
import { pruneKeys } from "./http/idempotency.ts";
import { readyKeys } from "./platform/config.ts";
import { DAY_MS } from "./platform/counters.ts";
import { batch, database } from "./platform/db/client.ts";
import { heldObservations, passwordResets, patientClaimCodes } from "./platform/db/schema.ts";
import { log } from "./platform/log.ts";
import { expireAwaited, sweepGivenUp, sweepIncoming, sweepOrphans } from "./reports/reading/sweep.ts";
import { pruneBytes } from "./reports/upload/quota.ts";

/** How long samples without a patient wait for somebody to look at them. */
const HELD_MS = 90 * DAY_MS;

export async function cleanUp(env: Env, now: number): Promise<void> {
  const db = database(env.DB);
  const keys = await readyKeys(env);
  await batch(db, [
    pruneAttempts(db, now),
    pruneKeys(db, now),
    pruneBytes(db, now),
    expireAwaited(db, now),
    pruneDeviceCodes(db, now),
    db.delete(patientClaimCodes).where(lt(patientClaimCodes.expiresAt, now)),
    db.delete(heldObservations).where(lt(heldObservations.receivedAt, now - HELD_MS)),
    db.delete(passwordResets).where(lt(passwordResets.expiresAt, now - DAY_MS)),
  ]);
  const count = await sweepOrphans(db, env.FILES, keys.fields.keys.keys(), now);
  if (count > 0) log(env, "INFO", "orphaned files deleted", { count });
  const left = (await sweepIncoming(env.FILES, now)) + (await sweepGivenUp(db, env.FILES));
  if (left > 0) log(env, "INFO", "files of ended uploads deleted", { count: left });
}
