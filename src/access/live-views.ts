// Live views that a consent or an emergency access opens, at the feeds of the hospitals that hold the records.
import { withDeadline } from "../platform/deadline.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { log } from "../platform/log.ts";

/** A feed that does not answer does not hold the end back. */
const DEADLINE_MS = 2_000;

/**
 * Closes the views by a consent or an emergency access before its end is acknowledged. A feed that is not reached checks its views when
 * the outbox delivers the change (triggers changed_consent and changed_emergency).
 */
export async function endLiveViews(env: Env, grantId: string, hospitalIds: readonly string[]): Promise<void> {
  const end = async (hospitalId: string) => env.WARD_FEED.getByName(hospitalId).endGrant(grantId);
  const calls = [...new Set(hospitalIds)].map((hospitalId) =>
    withDeadline(end(hospitalId), DEADLINE_MS, "a live feed").catch((error: unknown) =>
      log(env, "WARNING", "live views not ended", { cause: describeCause(error), at: stackFrames(error) }),
    ),
  );
  await Promise.all(calls);
}
