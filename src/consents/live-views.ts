// Live views that a consent opens, at the feeds of the hospitals whose records it shares.
import { withDeadline } from "../platform/deadline.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { log } from "../platform/log.ts";

/** A feed that does not answer does not hold a revocation back. */
const DEADLINE_MS = 2_000;

/**
 * Closes the views by a revoked consent before the revocation is acknowledged. A feed that is not reached checks its views when the
 * outbox delivers the change (trigger changed_consent).
 */
export async function endLiveViews(env: Env, consentId: string, hospitalIds: readonly string[]): Promise<void> {
  const end = async (hospitalId: string) => env.WARD_FEED.getByName(hospitalId).endConsent(consentId);
  const calls = [...new Set(hospitalIds)].map((hospitalId) =>
    withDeadline(end(hospitalId), DEADLINE_MS, "a live feed").catch((error: unknown) =>
      log(env, "WARNING", "live views not ended", { cause: describeCause(error), at: stackFrames(error) }),
    ),
  );
  await Promise.all(calls);
}
