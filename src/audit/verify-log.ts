// Verifies an audit log part by part with the independent verifier.
import { parseCursor } from "../../verifier/part.ts";
import { verifyPart } from "../../verifier/verify-log.ts";
import { withUser } from "../access/access.ts";
import type { Call } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { openLogSource } from "../audit-log/log-source.ts";
import { ApiError } from "../platform/errors.ts";
import { selectHospital } from "./proofs.ts";
import { type LogQuery, requireLog, toHospitalId } from "./visible-log.ts";

/** Work of one request: a checkpoint costs up to ten reads of R2. */
const LIMITS = { events: 20_000, checkpoints: 40 };

/**
 * Verifies the next part of a log, and names the first problem. Only the parts of a whole run together say that a log is intact.
 * @throws ApiError invalid_cursor, not_found (audited)
 */
export async function verifyLogPart(env: Env, anyCall: Call, query: LogQuery & { cursor?: string | undefined }) {
  const permission = "audit:verify";
  const cursor = query.cursor ?? null;
  try {
    parseCursor(cursor);
  } catch {
    throw new ApiError("invalid_cursor");
  }
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (_, { db }) => [selectHospital(db, query)]);
  const logId = await requireLog(call, permission, effectiveRole, query, results[0]);
  const hospitalId = toHospitalId(logId);
  const source = await openLogSource(env, logId);
  const { isIntact, problem, checked, nextCursor } = await verifyPart(source, cursor, LIMITS);
  const { role } = effectiveRole;
  await appendAuditEvent(call, { event: "audit.verify", action: "R", role, hospitalId, detail: { is_intact: isIntact } });
  return {
    hospital_id: hospitalId,
    is_intact: isIntact,
    problem,
    checked: {
      events: checked.events,
      segments: checked.segments,
      checkpoints: checked.checkpoints,
      first_seq: checked.firstSeq,
      end_seq: checked.endSeq,
      open_events: checked.openEvents,
    },
    pruned_up_to: source.prunedUpTo === 0 ? null : source.prunedUpTo,
    next_cursor: nextCursor,
  };
}
