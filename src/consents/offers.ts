// Codes by which a person shares records with a hospital of their choice: made, listed and withdrawn by the person.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyNotFound } from "../access/deny.ts";
import { failsUnless } from "../access/sign-in.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import type { Keys } from "../platform/config.ts";
import { computeBlindIndex } from "../platform/crypto.ts";
import { batch, type Db, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import type { consentOffers } from "../platform/db/schema.ts";
import type { CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { randomOpaqueId, uuidv7 } from "../platform/ids.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../platform/time.ts";
import { type Place, recordInLogs } from "./places.ts";
import { type ConsentScope, findScopeErrors } from "./scope.ts";

export const DEFAULT_OFFER_MS = DAY_MS;
export const MAX_OFFER_MS = 7 * DAY_MS;
/** How long an ended code is listed. */
export const OFFER_KEPT_MS = 90 * DAY_MS;
/** 60 bits in base 32: at 20 guesses per minute and member of staff, infeasible within seven days. */
const CODE_LENGTH = 12;

export type Offer = ConsentScope & {
  patientIds: readonly string[];
  purpose: (typeof CONSENT_PURPOSES)[number];
  /** Unix ms; default: `DEFAULT_OFFER_MS` from now. */
  validUntil: number | null;
};
export type OfferRow = typeof consentOffers.$inferSelect;
/** Columns of `consent_offers o`. */
export const OFFER_COLUMNS = sql`o.id AS id, o.user_id AS userId, o.patient_ids AS patientIds, o.purpose AS purpose,
  o.kinds AS kinds, o.data_from AS dataFrom, o.data_until AS dataUntil, o.expires_at AS expiresAt, o.erase_at AS eraseAt,
  o.valid_until AS validUntil, o.created_at AS createdAt, o.used_at AS usedAt, o.consent_id AS consentId,
  o.withdrawn_at AS withdrawnAt`;

export const hashOfferCode = (keys: Keys, code: string): Promise<string> => computeBlindIndex(keys.index, "consent_offer", code);

/** Rows `o` whose code can be used. A code ends with the consent that it would create. */
export const isOpenOffer = (now: number): SQL => sql`o.used_at IS NULL AND o.withdrawn_at IS NULL AND o.valid_until > ${now}`;

function stateOf(row: OfferRow, now: number) {
  if (row.usedAt !== null) return "used" as const;
  if (row.withdrawnAt !== null) return "withdrawn" as const;
  return row.validUntil <= now ? ("expired" as const) : ("open" as const);
}

export function toOffer(row: OfferRow, now: number) {
  const patientIds: string[] = JSON.parse(row.patientIds);
  return {
    offer_id: row.id,
    state: stateOf(row, now),
    patient_ids: patientIds,
    purpose: row.purpose,
    kinds: row.kinds.split(" ") as ConsentScope["kinds"][number][],
    data_from: toIso(row.dataFrom),
    data_until: toIso(row.dataUntil),
    expires_at: toIso(row.expiresAt),
    erase_at: toIso(row.eraseAt),
    valid_until: toIso(row.validUntil),
    created_at: toIso(row.createdAt),
    used_at: toIsoOrNull(row.usedAt),
    consent_id: row.consentId,
  };
}

function findOfferErrors(offer: Offer, validUntil: number, now: number) {
  const error = (message: string) => [{ path: "valid_until", message, code: "custom" }];
  return [
    ...findScopeErrors(offer, now),
    ...(validUntil <= now ? error("Must be in the future") : []),
    ...(validUntil > now + MAX_OFFER_MS ? error("Must be within seven days") : []),
  ];
}

/**
 * Creates a code for records of the caller. The code is returned here alone; stores hold its keyed hash.
 * @throws ApiError forbidden, invalid_request, conflict (a record that is restricted, or not linked to the login), limit_reached
 */
export async function createOffer(anyCall: Call, offer: Offer) {
  const id = uuidv7();
  const code = randomOpaqueId().slice(0, CODE_LENGTH);
  const ids = JSON.stringify([...new Set(offer.patientIds)]);
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:decide", (_, { db, actor }) => [
    db.all<{ id: string; hospitalId: string }>(sql`SELECT p.id AS id, p.hospital_id AS hospitalId FROM patient_links l
      JOIN patients p ON p.id = l.patient_id WHERE l.user_id = ${actor.userId} AND p.id IN (SELECT value FROM json_each(${ids}))`),
  ]);
  const { db, keys, actor, now } = call;
  const validUntil = Math.min(offer.validUntil ?? now + DEFAULT_OFFER_MS, offer.expiresAt);
  const errors = findOfferErrors(offer, validUntil, now);
  if (errors.length > 0) throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  const [places] = results;
  const codeHash = unlessFull(
    await hashOfferCode(keys, code),
    ROW_LIMITS.openConsentOffers,
    sql`consent_offers o WHERE o.user_id = ${actor.userId} AND ${isOpenOffer(now)}`,
  );
  const isOwn = sql`EXISTS (SELECT 1 FROM patient_links l JOIN patients p ON p.id = l.patient_id AND p.restricted_at IS NULL
    WHERE l.user_id = ${actor.userId} AND l.patient_id = j.value)`;
  const event = { event: "consent.offer", action: "C", role: effectiveRole.role, basis: "self" } as const;
  const byHospital = Map.groupBy(places, ({ hospitalId }) => hospitalId);
  await batch(db, [
    failsUnless(db, sql`NOT EXISTS (SELECT 1 FROM json_each(${ids}) j WHERE NOT ${isOwn})`),
    db.run(sql`INSERT INTO consent_offers (id, user_id, code_hash, patient_ids, purpose, kinds, data_from, data_until, expires_at,
        erase_at, valid_until, created_at)
      VALUES (${id}, ${actor.userId}, ${codeHash}, ${ids}, ${offer.purpose}, ${offer.kinds.join(" ")},
        CAST(${offer.dataFrom} AS INTEGER), CAST(${offer.dataUntil} AS INTEGER), CAST(${offer.expiresAt} AS INTEGER),
        CAST(${offer.eraseAt} AS INTEGER), CAST(${validUntil} AS INTEGER), CAST(${now} AS INTEGER))`),
    ...[...byHospital].flatMap(([hospitalId, records]) =>
      recordAuditEvent(db, actor, now, {
        ...event,
        hospitalId,
        entity: { type: "consent_offer", id },
        subjects: records.map((record) => record.id),
        detail: { purpose: offer.purpose },
      }),
    ),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) throw new ApiError("conflict", "A record is not linked to your login, or it is restricted.");
    throw toLimitError(error, ROW_LIMITS.openConsentOffers);
  });
  const [row] = await db.all<OfferRow>(sql`SELECT ${OFFER_COLUMNS} FROM consent_offers o WHERE o.id = ${id}`);
  if (!row) throw new ApiError("not_found");
  return { ...toOffer(row, now), code: (code.toUpperCase().match(/.{4}/g) ?? []).join("-") };
}

/** The caller's codes, without the codes themselves, newest first. */
export async function listOffers(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "consent_offers", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:decide", (_, { db, actor }) => {
    const rows = sql`consent_offers o WHERE o.user_id = ${actor.userId}`;
    const after = start.after ? sql`(o.created_at, o.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      db.all<OfferRow>(sql`SELECT ${OFFER_COLUMNS} FROM ${rows} AND ${after}
        ORDER BY o.created_at DESC, o.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [rows, [counted]] = results;
  const key = (row: OfferRow) => ({ value: row.createdAt, id: row.id });
  const page = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: false });
  const { role } = effectiveRole;
  const event = { event: "consent.offers", action: "R", role, basis: "self", detail: { count: page.rows.length } } as const;
  const items = page.rows.map((row) => toOffer(row, call.now));
  return { items: await afterAudit(appendAuditEvent(call, event), Promise.resolve(items)), pagination: page.pagination };
}

/** Withdraws a code that nobody has used. @throws ApiError not_found, conflict (used, withdrawn or expired) */
export async function withdrawOffer(anyCall: Call, id: string): Promise<void> {
  const isOwn = (userId: string) => sql`o.id = ${id} AND o.user_id = ${userId}`;
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:decide", (_, { db, actor }) => [
    db.all<OfferRow>(sql`SELECT ${OFFER_COLUMNS} FROM consent_offers o WHERE ${isOwn(actor.userId)}`),
    db.all<Place>(sql`SELECT p.id AS id, p.hospital_id AS hospitalId FROM consent_offers o, json_each(o.patient_ids) j
      JOIN patients p ON p.id = j.value WHERE ${isOwn(actor.userId)}`),
  ]);
  const [[row], places] = results;
  if (!row) return denyNotFound(call, "consent:decide", effectiveRole, { consent_offer: id });
  const { db, actor, now } = call;
  const { role } = effectiveRole;
  const entity = { type: "consent_offer", id };
  const event = { event: "consent.offer_withdraw", action: "U", role, basis: "self", entity } as const;
  await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM consent_offers o WHERE ${isOwn(actor.userId)} AND ${isOpenOffer(now)})`),
    db.run(sql`UPDATE consent_offers SET withdrawn_at = CAST(${now} AS INTEGER) WHERE id = ${id}`),
    ...(places.length > 0 ? recordInLogs(call, event, places) : recordAuditEvent(db, actor, now, { ...event, hospitalId: null })),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) throw new ApiError("conflict", "The code was used or withdrawn, or it has expired.");
    throw error;
  });
}

/** Deletes codes some time after their end. */
export const pruneOffers = (db: Db, now: number): Statement =>
  db.run(sql`DELETE FROM consent_offers WHERE valid_until < ${now - OFFER_KEPT_MS}`);
