// Hospitals that staff can ask for documents, by name: it says nothing of where a person has records.
import { sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call } from "../access/actor.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";

type HospitalRow = { id: string; name: string; createdAt: number };

/** Active ones other than the caller's, newest first. */
export async function listAskableHospitals(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "askable_hospitals", query);
  const { results } = await withUser(anyCall, "document_request:create", ({ hospitalId }, { db }) => {
    const rows = sql`hospitals h WHERE h.active = 1 AND h.id NOT IN (${hospitalId}, ${SELF_CARE_HOSPITAL_ID})`;
    const after = start.after ? sql`(h.created_at, h.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      db.all<HospitalRow>(sql`SELECT h.id AS id, h.name AS name, h.created_at AS createdAt FROM ${rows} AND ${after}
        ORDER BY h.created_at DESC, h.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: HospitalRow) => ({ value: row.createdAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  return { items: rows.map(({ id, name }) => ({ hospital_id: id, name })), pagination };
}
