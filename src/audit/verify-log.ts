// Verifies an audit log part by part with the independent verifier.
import { verifyPart } from "../../verifier/verify-log.ts";
import { withUser } from "../access/access.ts";
import type { Call, UserCall } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { openLogSource } from "../audit-log/log-source.ts";
import { ApiError } from "../platform/errors.ts";
import { signToken, verifyToken } from "../platform/signed-token.ts";
import { selectHospital } from "./proofs.ts";
import { type LogQuery, requireLog, toHospitalId } from "./visible-log.ts";

/** Work of one request: a checkpoint costs up to ten reads of R2. */
const LIMITS = { events: 20_000, checkpoints: 40 };

/** Only the verification itself says where its next part begins: an invented cursor would record a false result. */
const cursorParts = ({ actor }: UserCall, logId: string, cursor: string) => ["audit-verify", actor.userId, logId, cursor];

/** @throws ApiError invalid_cursor */
async function readCursor(call: UserCall, logId: string, signed: string | undefined): Promise<string | null> {
  if (signed === undefined) return null;
  const cursor = await verifyToken(call.keys.link, signed, ".", (payload) => cursorParts(call, logId, payload));
  if (cursor === null) throw new ApiError("invalid_cursor");
  return cursor;
}

/**
 * Verifies the next part of a log, and names the first problem. Only the parts of a whole run together say that a log is intact.
 * @throws ApiError invalid_cursor, not_found (audited)
 */
export async function verifyLogPart(env: Env, anyCall: Call, query: LogQuery & { cursor?: string | undefined }) {
  const permission = "audit:verify";
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (_, { db }) => [selectHospital(db, query)]);
  const logId = await requireLog(call, permission, effectiveRole, query, results[0]);
  const hospitalId = toHospitalId(logId);
  const cursor = await readCursor(call, logId, query.cursor);
  const source = await openLogSource(env, logId);
  const { isIntact, problem, checked, nextCursor } = await verifyPart(source, cursor, LIMITS);
  const { role } = effectiveRole;
  const detail = { is_intact: isIntact, first_seq: checked.firstSeq, end_seq: checked.endSeq, is_last: nextCursor === null };
  await appendAuditEvent(call, { event: "audit.verify", action: "R", role, hospitalId, detail });
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
    next_cursor: nextCursor && (await signToken(call.keys.link, nextCursor, ".", cursorParts(call, logId, nextCursor))),
  };
}
