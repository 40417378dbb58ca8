// Lists of requests for erasure, newest first.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { erasures } from "../../platform/db/schema.ts";
import type { ErasureState } from "../../platform/db/vocabulary.ts";
import { isErasureVisible, type SeenErasure, selectErasures, toErasure } from "./erasure.ts";

export type ErasureQuery = PageQuery & { state?: ErasureState | undefined; patient_id?: string | undefined };

export async function listErasures(anyCall: Call, query: ErasureQuery) {
  const start = await resolvePageStart(anyCall, "erasures", query);
  const { where = sql`1`, orderBy } = keysetClauses(start, erasures.requestedAt, erasures.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "erasure:read", (effectiveRole, { db, actor }) => {
    const isOfState = query.state === undefined ? sql`1` : sql`erasures.state = ${query.state}`;
    const isOfPatient = query.patient_id === undefined ? sql`1` : sql`erasures.patient_id = ${query.patient_id}`;
    const filter = sql`${isErasureVisible(effectiveRole, actor.userId)} AND ${isOfState} AND ${isOfPatient}`;
    return [
      db.all<SeenErasure>(sql`${selectErasures(sql`${filter} AND ${where}`)}
        ORDER BY ${sql.join(orderBy, sql`, `)} LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM erasures WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: SeenErasure) => ({ value: row.requestedAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const items = Promise.all(rows.map((row) => toErasure(call, row)));
  return { items: await afterAudit(appendAuditEvent(call, listEvents(effectiveRole, rows)), items), pagination };
}

const listEvents = ({ role, hospitalId }: UserEffectiveRole, rows: readonly SeenErasure[]) =>
  toListEvents(
    rows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({ event: "erasure.list", action: "R", role, subjects: ofHospital.map(({ patientId }) => patientId) }),
  );
