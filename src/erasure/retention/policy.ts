// The retention policy of a hospital: read and set by its administrators.
import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditAction, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound, failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch } from "../../platform/db/client.ts";
import { retentionPolicies } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIsoOrNull } from "../../platform/time.ts";
import { jurisdictionOf, minimumPolicy, RECORD_KINDS, type RetentionPolicy } from "./jurisdictions.ts";
import { policyInForce, storedPolicyOf } from "./stored-policy.ts";

type Row = {
  id: string;
  country: string | null;
  policy: string | null;
  version: number | null;
  updated_by: string | null;
  updated_at: number | null;
};

function toView({ id, country, policy, version, updated_by, updated_at }: Row) {
  return {
    hospital_id: id,
    jurisdiction: jurisdictionOf(country),
    minimum: minimumPolicy(country),
    own: storedPolicyOf(policy),
    in_force: policyInForce(country, policy),
    version,
    updated_by,
    updated_at: toIsoOrNull(updated_at),
  };
}

/** @throws ApiError not_found (audited) */
export async function loadPolicy(anyCall: Call, hospitalId: string, permission: Permission, event: string, action: AuditAction) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => [
    db.all<Row>(sql`SELECT h.id AS id, h.country AS country, r.policy AS policy, r.version AS version, r.updated_by AS updated_by,
        r.updated_at AS updated_at
      FROM hospitals h LEFT JOIN retention_policies r ON r.hospital_id = h.id
      WHERE h.id = ${hospitalId} AND ${isInCallerHospital(effectiveRole, sql`h.id`)}`),
  ]);
  const [[row]] = results;
  if (!row) return denyNotFound(call, permission, effectiveRole, { hospital: hospitalId });
  const entity = { type: "hospital", id: hospitalId };
  return { call, row, event: { event, action, role: effectiveRole.role, hospitalId, entity } };
}

/** What the country requires, what the hospital has set, and what applies. @throws ApiError not_found */
export async function getPolicy(anyCall: Call, hospitalId: string) {
  const { call, row, event } = await loadPolicy(anyCall, hospitalId, "retention:read", "retention.read", "R");
  return afterAudit(appendAuditEvent(call, event), Promise.resolve(toView(row)));
}

/**
 * Replaces the policy.
 * @param expected the versions to replace; null when none is set yet
 * @throws ApiError not_found, invalid_request (shorter than the country requires), precondition_required, precondition_failed
 */
export async function putPolicy(anyCall: Call, hospitalId: string, expected: ExpectedVersion | null, after: RetentionPolicy) {
  const { call, row, event } = await loadPolicy(anyCall, hospitalId, "retention:manage", "retention.update", "U");
  assertLongEnough(after, minimumPolicy(row.country));
  const { db, actor, now } = call;
  if (row.version !== null && expected === null) throw new ApiError("precondition_required");
  // No version fulfils If-Match, so the change does not run again.
  if (row.version === null && expected) return failWithAudit({ ...call, repeatsLostRaces: false }, "precondition_failed", event);
  if (row.version !== null && expected && matchVersion(expected, row.version) !== row.version)
    return failWithAudit(call, "precondition_failed", event);
  const values = { policy: JSON.stringify(after), updatedBy: getActorId(actor), updatedAt: now };
  const write =
    row.version === null
      ? db
          .insert(retentionPolicies)
          .values({ ...values, hospitalId })
          .onConflictDoNothing()
          .returning({ version: retentionPolicies.version })
      : db
          .update(retentionPolicies)
          .set({ ...values, version: row.version + 1 })
          .where(and(eq(retentionPolicies.hospitalId, hospitalId), eq(retentionPolicies.version, row.version)))
          .returning({ version: retentionPolicies.version });
  const detail = { before: storedPolicyOf(row.policy), after };
  const [[written]] = await batch(db, [
    write,
    ...recordAuditEvent(db, actor, now, { ...event, detail, when: sql`changes() > 0` }),
  ]);
  if (!written) return failWithAudit(call, "precondition_failed", event);
  const { updatedBy: updated_by, updatedAt: updated_at, policy } = values;
  return toView({ ...row, policy, version: written.version, updated_by, updated_at });
}

/** @throws ApiError invalid_request with each period that is too short */
function assertLongEnough(policy: RetentionPolicy, minimum: RetentionPolicy): void {
  const short = RECORD_KINDS.filter((kind) => policy.years[kind] < minimum.years[kind]).map((kind) => ({
    path: `years.${kind}`,
    least: minimum.years[kind],
  }));
  const age = minimum.minors_until_age;
  if (age !== null && (policy.minors_until_age ?? 0) < age) short.push({ path: "minors_until_age", least: age });
  if (short.length === 0) return;
  throw new ApiError("invalid_request", "Some periods are shorter than the country of the hospital requires; see errors.", {
    errors: short.map(({ path, least }) => ({ path, message: `Must be at least ${least}`, code: "too_short" })),
  });
}
