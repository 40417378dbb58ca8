// Samples that count for nobody yet: of no patient, in no known unit, of no believable time. Kept sealed for a person to look at.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { asCaller } from "../../access/access.ts";
import type { Call, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { open } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { heldObservations } from "../../platform/db/schema.ts";
import { UUID } from "../../platform/ids.ts";

type HeldRow = typeof heldObservations.$inferSelect;

/** A patient's object begins the id with the patient's (monitor/deliver.ts). */
function patientOf({ id }: HeldRow): string | null {
  const patient = id.slice(0, 36);
  return id.length > 36 && UUID.test(patient) ? patient : null;
}

const toHeld = (row: HeldRow) => ({
  held_id: row.id,
  hospital_id: row.hospitalId,
  device_id: row.deviceId,
  patient_id: patientOf(row),
  reasons: row.reason.split(" "),
  count: row.count,
  received_at: new Date(row.receivedAt).toISOString(),
});

function ours(standing: UserStanding): SQL {
  const { hospitalId } = heldObservations;
  // Hospital by hospital, for the index.
  return standing.role === "admin" ? sql`${hospitalId} IN (SELECT id FROM hospitals)` : eq(hospitalId, standing.hospitalId ?? "");
}

/** What a hospital's devices sent in vain, newest first, for those who look after them. */
export async function listHeld(anyCall: Call, query: PageQuery) {
  const start = await startOf(anyCall, "observations.held", query);
  const { where, orderBy } = keyset(start, heldObservations.receivedAt, heldObservations.id);
  const { call, standing, results } = await asCaller(anyCall, "upload:read", (standing, { db }) => [
    db
      .select()
      .from(heldObservations)
      .where(and(ours(standing), where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM held_observations WHERE ${ours(standing)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const { db, actor, now } = call;
  const [rows, [count]] = results;
  const key = (row: HeldRow) => ({ value: row.receivedAt, id: row.id });
  const { rows: kept, pagination } = await toPage(start, rows, key, { n: count?.n ?? 0, exact: false });
  const { role, hospitalId } = standing;
  const subjects = kept.flatMap((row) => patientOf(row) ?? []);
  const detail = { count: kept.length };
  await batch(db, audit(db, actor, now, { event: "observation.held", action: "R", role, hospitalId, subjects, detail }));
  return { items: kept.map(toHeld), pagination };
}

/** One row with its items as they came. @throws ApiError not_found (absent, or another hospital's) */
export async function getHeld(anyCall: Call, id: string) {
  const { call, standing, results } = await asCaller(anyCall, "upload:read", (standing, { db }) => [
    db
      .select()
      .from(heldObservations)
      .where(and(eq(heldObservations.id, id), ours(standing))),
  ]);
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = standing;
  const [[row]] = results;
  if (!row) return refuse(call, "upload:read", "not_found", { role, hospitalId, target: { held_observations: id } });
  const patientId = patientOf(row);
  const event = { event: "observation.held", action: "R", role, hospitalId: row.hospitalId } as const;
  const about = { entity: { type: "held_observations", id }, subjects: patientId ? [patientId] : [] };
  await batch(db, audit(db, actor, now, { ...event, ...about }));
  const items = await open(keys.fields, { table: "held_observations", column: "items", id }, row.itemsSealed);
  return { ...toHeld(row), items: z.array(z.unknown()).parse(items) };
}
