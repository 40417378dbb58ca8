// Links to an intake form for somebody without an account: valid once and for days; nothing of a record is read by them.
import { type SQL, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound, failWithAudit } from "../../access/deny.ts";
import { buildLinkUrl, deriveOneTimeToken, hashOneTimeToken, repeatOneTimeToken } from "../../access/one-time-tokens.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { patientVisibility } from "../../access/visibility.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { openListItems } from "../../platform/sealed-documents.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";
import { type IntakeForm, readForm, sealForm } from "./form.ts";

export const DEFAULT_LINK_MS = 7 * DAY_MS;
export const MAX_LINK_MS = 30 * DAY_MS;

export type LinkRow = {
  id: string;
  hospitalId: string;
  patientId: string | null;
  tokenHash: string;
  formSealed: string;
  language: string;
  expiresAt: number;
  usedAt: number | null;
  revokedAt: number | null;
  createdBy: string;
  createdAt: number;
};
export const LINK_COLUMNS = sql`k.id AS id, k.hospital_id AS hospitalId, k.patient_id AS patientId, k.token_hash AS tokenHash,
  k.form_sealed AS formSealed, k.language AS language, k.expires_at AS expiresAt, k.used_at AS usedAt, k.revoked_at AS revokedAt,
  k.created_by AS createdBy, k.created_at AS createdAt`;
/** Rows `k` that can still be used. */
export const isOpenLink = (now: number): SQL => sql`k.used_at IS NULL AND k.revoked_at IS NULL AND k.expires_at > ${now}`;

export type NewLink = IntakeForm & {
  patient_id?: string | undefined;
  language: "en" | "hi";
  /** Unix ms; default: in seven days. */
  expiresAt: number | null;
};

type LinkEvent = { role: UserEffectiveRole["role"]; hospitalId: string; id: string; patientId: string | null };
const linkEvent = (event: string, action: "C" | "R" | "D", { role, hospitalId, id, patientId }: LinkEvent) => ({
  event,
  action,
  role,
  hospitalId,
  entity: { type: "intake_link", id },
  subjects: patientId === null ? [] : [patientId],
});

/** The hospital of the caller, and the record that the link is for. @throws ApiError not_found, forbidden */
async function findPlace(call: Call, patientId: string | undefined) {
  if (patientId === undefined) {
    const { call: userCall, effectiveRole } = await requireRole(call, "intake_link:create");
    return { call: userCall, role: effectiveRole.role, hospitalId: effectiveRole.hospitalId ?? "", patientId: null };
  }
  const { actor } = call;
  const { patient, hospitalId, effectiveRole } = await authorizePatient(call, { patient: patientId }, "intake_link:create");
  if (actor.kind !== "user" || !effectiveRole || effectiveRole.role === "app") throw new ApiError("forbidden");
  return { call: { ...call, actor }, role: effectiveRole.role, hospitalId, patientId: patient.id };
}

/** @throws ApiError forbidden, not_found, invalid_request, limit_reached */
export async function createLink(anyCall: Call, input: NewLink, origin: string, keyStatements: KeyStatements) {
  const expiresAt = input.expiresAt ?? anyCall.now + DEFAULT_LINK_MS;
  if (expiresAt <= anyCall.now || expiresAt > anyCall.now + MAX_LINK_MS) {
    const errors = [{ path: "expires_at", message: "Must be within 30 days", code: "custom" }];
    throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  }
  const { call, ...place } = await findPlace(anyCall, input.patient_id);
  const { db, keys, actor, now } = call;
  const id = uuidv7();
  const token = await deriveOneTimeToken(keys, "intake", id);
  const [hash, form] = await Promise.all([
    hashOneTimeToken(keys, "intake", token),
    sealForm(keys, id, { fields: input.fields, questions: input.questions }),
  ]);
  const open = sql`intake_links k WHERE k.hospital_id = ${place.hospitalId} AND ${isOpenLink(now)}`;
  await batch(db, [
    ...keyStatements(id),
    db.run(sql`INSERT INTO intake_links (id, hospital_id, patient_id, token_hash, form_sealed, language, expires_at, created_by, created_at)
      VALUES (${id}, ${place.hospitalId}, ${place.patientId}, ${hash}, ${form}, ${input.language}, CAST(${expiresAt} AS INTEGER),
        ${unlessFull(actor.userId, ROW_LIMITS.openIntakeLinks, open)}, CAST(${now} AS INTEGER))`),
    ...recordAuditEvent(db, actor, now, linkEvent("intake_link.create", "C", { ...place, id })),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.openIntakeLinks);
  });
  return toNewLink(origin, id, token, expiresAt);
}

const toNewLink = (origin: string, id: string, token: string, expiresAt: number) => ({
  intake_link_id: id,
  url: buildLinkUrl(origin, "intake", token),
  token,
  expires_at: toIso(expiresAt),
});

/** Rows `k` of the caller's hospital; those for a record only where the caller sees it. */
const isVisibleLink = (effectiveRole: UserEffectiveRole, { actor }: { actor: Parameters<typeof patientVisibility>[1] }): SQL =>
  sql`k.hospital_id = ${effectiveRole.hospitalId} AND (k.patient_id IS NULL
    OR (${patientVisibility(effectiveRole, actor, sql`k.patient_id`, sql`k.hospital_id`)}))`;

async function requireLink(anyCall: Call, id: string, permission: "intake_link:create" | "intake_link:manage") {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    db.all<LinkRow>(
      sql`SELECT ${LINK_COLUMNS} FROM intake_links k WHERE k.id = ${id} AND ${isVisibleLink(effectiveRole, { actor })}`,
    ),
  ]);
  const [row] = results[0];
  if (!row) return denyNotFound(call, permission, effectiveRole, { intake_link: id });
  return { call, row, role: effectiveRole.role };
}

/** The link of an idempotent create, for a caller who may still create one. @throws ApiError not_found */
export async function replayLink(anyCall: Call, id: string, origin: string) {
  const { call, row, role } = await requireLink(anyCall, id, "intake_link:create");
  const { db, keys, actor, now } = call;
  const token = await repeatOneTimeToken(keys, "intake", id, row.tokenHash);
  if (!token) throw new ApiError("not_found");
  const { hospitalId, patientId } = row;
  await batch(db, recordAuditEvent(db, actor, now, linkEvent("intake_link.replay", "R", { role, id, hospitalId, patientId })));
  return toNewLink(origin, id, token, row.expiresAt);
}

function stateOf({ usedAt, revokedAt, expiresAt }: LinkRow, now: number) {
  if (usedAt !== null) return "used" as const;
  if (revokedAt !== null) return "revoked" as const;
  return expiresAt <= now ? ("expired" as const) : ("open" as const);
}

/** The links of the hospital, without their tokens, newest first. */
export async function listLinks(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "intake_links", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "intake_link:read", (effectiveRole, { db, actor }) => {
    const rows = sql`intake_links k WHERE ${isVisibleLink(effectiveRole, { actor })}`;
    const after = start.after ? sql`(k.created_at, k.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      db.all<LinkRow>(sql`SELECT ${LINK_COLUMNS} FROM ${rows} AND ${after}
        ORDER BY k.created_at DESC, k.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: LinkRow) => ({ value: row.createdAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const subjects = rows.flatMap(({ patientId }) => patientId ?? []);
  const stored = appendAuditEvent(call, {
    ...{ event: "intake_link.list", action: "R", role, hospitalId, subjects },
    detail: { count: rows.length },
  });
  const items = openListItems(call.actor.via.requestId, rows, async (row) => ({
    intake_link_id: row.id,
    patient_id: row.patientId,
    ...(await readForm(call.keys, row.id, row.formSealed)),
    language: row.language,
    state: stateOf(row, call.now),
    created_by: row.createdBy,
    created_at: toIso(row.createdAt),
    expires_at: toIso(row.expiresAt),
    used_at: toIsoOrNull(row.usedAt),
  }));
  return { items: (await afterAudit(stored, items)).items, pagination };
}

/** @throws ApiError not_found, conflict (used, revoked or expired) */
export async function revokeLink(anyCall: Call, id: string): Promise<void> {
  const { call, row, role } = await requireLink(anyCall, id, "intake_link:manage");
  const { db, actor, now } = call;
  const event = linkEvent("intake_link.revoke", "D", { role, id, hospitalId: row.hospitalId, patientId: row.patientId });
  const [revoked] = await batch(db, [
    db.all(
      sql`UPDATE intake_links AS k SET revoked_at = CAST(${now} AS INTEGER) WHERE k.id = ${id} AND ${isOpenLink(now)} RETURNING 1`,
    ),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (revoked.length === 0) await failWithAudit(call, "conflict", event);
}
