// Import grants: room for a bulk import beyond a hospital's storage quotas, with a size and an end.

import { and, eq, isNull, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditAction, type AuditEvent, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound, failWithAudit } from "../../access/deny.ts";
import { canManageHospital } from "../../access/effective-role.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { hospitals, importGrants } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { GRANT_PREFIX } from "../../platform/storage-quotas.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";

export const MAX_GRANT_BYTES = 10 * 1024 ** 4;
export const MAX_GRANT_DAYS = 31;
export type NewImportGrant = { bytes: number; expires_at: string; reason: string };

type GrantRow = typeof importGrants.$inferSelect & { used: number };

const GRANT_COLUMNS = {
  id: importGrants.id,
  hospitalId: importGrants.hospitalId,
  bytes: importGrants.bytes,
  reasonSealed: importGrants.reasonSealed,
  createdBy: importGrants.createdBy,
  createdAt: importGrants.createdAt,
  expiresAt: importGrants.expiresAt,
  revokedAt: importGrants.revokedAt,
  revokedBy: importGrants.revokedBy,
  used: sql<number>`coalesce((SELECT n FROM counters WHERE scope = ${GRANT_PREFIX} || ${importGrants.id} AND day = 0 AND name = 'records'), 0)`,
};

const sealContext = (id: string) => ({ table: "import_grants", column: "reason", id });

async function toImportGrant({ keys }: Call, row: GrantRow) {
  return {
    grant_id: row.id,
    hospital_id: row.hospitalId,
    bytes: row.bytes,
    used_bytes: row.used,
    reason: String(await unsealValue(keys.fields, sealContext(row.id), row.reasonSealed)),
    created_by: row.createdBy,
    created_at: toIso(row.createdAt),
    expires_at: toIso(row.expiresAt),
    revoked_at: toIsoOrNull(row.revokedAt),
  };
}

function grantEvent({ role }: UserEffectiveRole, hospitalId: string, id: string, event: string, action: AuditAction): AuditEvent {
  return { event, action, role, hospitalId, entity: { type: "import_grant", id } };
}

/** @throws ApiError invalid_request (an end in the past or too far ahead), not_found (hospital) */
export async function createImportGrant(anyCall: Call, hospitalId: string, input: NewImportGrant, keyStatements: KeyStatements) {
  const { call, effectiveRole, results } = await withUser(anyCall, "import_grant:manage", (_, { db }) => [
    db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
  ]);
  if (results[0].length === 0) return denyNotFound(call, "import_grant:manage", effectiveRole, { hospital: hospitalId });
  const { db, keys, actor, now } = call;
  const expiresAt = Date.parse(input.expires_at);
  if (expiresAt <= now || expiresAt > now + MAX_GRANT_DAYS * DAY_MS) {
    const message = `Must be in the next ${MAX_GRANT_DAYS} days`;
    throw new ApiError("invalid_request", "Some fields are invalid; see errors.", {
      errors: [{ path: "expires_at", message, code: "custom" }],
    });
  }
  const id = uuidv7();
  const row = {
    id,
    hospitalId,
    bytes: input.bytes,
    reasonSealed: await sealValue(keys.fields, sealContext(id), input.reason),
    createdBy: actor.userId,
    createdAt: now,
    expiresAt,
    revokedAt: null,
    revokedBy: null,
  };
  const detail = { bytes: input.bytes, expires_at: toIso(expiresAt) };
  await batch(db, [
    ...keyStatements(id),
    db.insert(importGrants).values(row),
    ...recordAuditEvent(db, actor, now, { ...grantEvent(effectiveRole, hospitalId, id, "import_grant.create", "C"), detail }),
  ]);
  return toImportGrant(call, { ...row, used: 0 });
}

/** A grant of a hospital that the caller manages. @throws ApiError not_found */
async function requireGrant(anyCall: Call, hospitalId: string, id: string, permission: "storage:read" | "import_grant:manage") {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => [
    db
      .select(GRANT_COLUMNS)
      .from(importGrants)
      .where(
        and(eq(importGrants.id, id), eq(importGrants.hospitalId, canManageHospital(effectiveRole, hospitalId) ? hospitalId : "")),
      ),
  ]);
  const [row] = results[0];
  if (!row) return denyNotFound(call, permission, effectiveRole, { import_grant: id });
  return { call, effectiveRole, row };
}

/** Response for a replayed Idempotency-Key. */
export async function replayImportGrant(anyCall: Call, hospitalId: string, id: string) {
  const { call, effectiveRole, row } = await requireGrant(anyCall, hospitalId, id, "storage:read");
  const event = grantEvent(effectiveRole, hospitalId, id, "import_grant.replay", "R");
  await batch(call.db, recordAuditEvent(call.db, call.actor, call.now, event));
  return toImportGrant(call, row);
}

/** Newest first. @throws ApiError not_found (another hospital, for its administrators) */
export async function listImportGrants(anyCall: Call, hospitalId: string, query: PageQuery) {
  const start = await resolvePageStart(anyCall, `import grants:${hospitalId}`, query);
  const { where, orderBy } = keysetClauses(start, importGrants.createdAt, importGrants.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "storage:read", (effectiveRole, { db }) => {
    const ofHospital = eq(importGrants.hospitalId, canManageHospital(effectiveRole, hospitalId) ? hospitalId : "");
    return [
      db
        .select(GRANT_COLUMNS)
        .from(importGrants)
        .where(and(ofHospital, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM import_grants WHERE ${ofHospital} LIMIT ${COUNT_LIMIT + 1})`,
      ),
      db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    ];
  });
  const [rows, [counted], [hospital]] = results;
  if (!hospital || !canManageHospital(effectiveRole, hospitalId))
    return denyNotFound(call, "storage:read", effectiveRole, { hospital: hospitalId });
  const count = { n: counted?.n ?? 0, exact: false };
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), count);
  const entity = { type: "hospital", id: hospitalId };
  const event = { event: "import_grant.list", action: "R", role: effectiveRole.role, hospitalId, entity } as const;
  const stored = appendAuditEvent(call, { ...event, detail: { count: pageRows.length } });
  return { items: await afterAudit(stored, Promise.all(pageRows.map((row) => toImportGrant(call, row)))), pagination };
}

/** Ends a grant at once; writes that already counted against it stay. @throws ApiError not_found, conflict (already revoked) */
export async function revokeImportGrant(anyCall: Call, hospitalId: string, id: string) {
  const { call, effectiveRole, row } = await requireGrant(anyCall, hospitalId, id, "import_grant:manage");
  const event = grantEvent(effectiveRole, hospitalId, id, "import_grant.revoke", "D");
  const [revoked] = await revoke(call, id, event);
  if (revoked.length === 0) return failWithAudit(call, "conflict", event);
  return toImportGrant(call, { ...row, revokedAt: call.now });
}

function revoke({ db, actor, now }: UserCall, id: string, event: AuditEvent) {
  return batch(db, [
    db
      .update(importGrants)
      .set({ revokedAt: now, revokedBy: actor.userId })
      .where(and(eq(importGrants.id, id), isNull(importGrants.revokedAt)))
      .returning({ id: importGrants.id }),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
}
