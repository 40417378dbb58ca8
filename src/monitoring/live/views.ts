// What a socket may see: asked of D1 when it opens, when a right changes and every minute.
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { patientScope } from "../../access/access.ts";
import type { Principal, Standing } from "../../access/actor.ts";
import { mayEver } from "../../access/roles.ts";
import { standingOf, standingStatement } from "../../access/standing.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { ROLES } from "../../platform/db/schema.ts";

/** Patients of one hospital: these, or all that are monitored. */
export type Requested = readonly string[] | null;

export const Seat = z.strictObject({
  holder: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("user"), userId: z.string(), sessionId: z.string() }),
    z.strictObject({ kind: z.literal("app"), credentialId: z.string(), hospitalId: z.string() }),
  ]),
  /** What the holder was when the view opened: another standing ends it. */
  role: z.enum([...ROLES, "app"]),
  actingFor: z.string().nullable(),
  /** Names the view; seats with one key see the same. */
  view: z.string(),
});
/** Who watches what, without the list of patients that were asked for. */
export type Seat = z.infer<typeof Seat>;

const BATCH = 100;

/** Patients of a hospital that a view of all shows: monitored, or with a device now; only those that the caller may see. */
export function monitoredPatients(standing: Standing, actor: Principal, hospitalId: string): SQL {
  // `+` keeps the index of the monitored and of the assignments in the lead.
  const scope = patientScope(standing, actor, sql`+p.id`, sql`+p.hospital_id`);
  return sql`SELECT p.id AS id FROM patients p WHERE p.monitoring <> 'off' AND p.monitoring IN ('home', 'ward')
      AND p.hospital_id = ${hospitalId} AND ${scope}
    UNION SELECT p.id AS id FROM devices d JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL
      JOIN patients p ON p.id = a.patient_id AND p.hospital_id = ${hospitalId}
      WHERE d.hospital_id = ${hospitalId} AND ${scope}`;
}

/** Of the patients that were named, those whom the caller may see, with their hospitals. */
export function namedPatients(standing: Standing, actor: Principal, patientIds: readonly string[]): SQL {
  const scope = patientScope(standing, actor, sql`p.id`, sql`p.hospital_id`);
  return sql`SELECT p.id AS id, p.hospital_id AS hospital_id FROM patients p
    WHERE p.id IN (SELECT value FROM json_each(${JSON.stringify(patientIds)})) AND ${scope}`;
}

/** Whose eyes a view is seen with: all of a hospital's patients, or those of one person. */
function eyes(standing: Standing, holder: Seat["holder"]): string {
  switch (standing.role) {
    case "admin":
    case "nurse":
    case "hospital_admin":
    case "app":
      return "hospital";
    case "doctor":
      if (standing.doctorScope === "hospital") return "hospital";
      break;
    case "patient":
      break;
  }
  return holder.kind === "user" ? holder.userId : holder.credentialId;
}

/** The name of a view. Who asks for the same patients with the same eyes shares it. */
export async function viewKey(standing: Standing, holder: Seat["holder"], requested: Requested): Promise<string> {
  const what = requested ? (await sha256Hex([...requested].sort().join())).slice(0, 32) : "all";
  return `${eyes(standing, holder)}/${what}`;
}

function principalOf({ holder, role, actingFor }: Seat): Principal {
  const via = { requestId: "feed", ip: null };
  if (holder.kind === "app" || role === "app") {
    const { credentialId, hospitalId } =
      holder.kind === "app" ? holder : { credentialId: holder.sessionId, hospitalId: actingFor ?? "" };
    return { kind: "app", credentialId, hospitalId, secretHash: null, via };
  }
  return { ...holder, claimed: { role, hospitalId: actingFor, doctorScope: "care_team" }, via };
}

const holderId = ({ holder }: Seat) => (holder.kind === "user" ? holder.sessionId : holder.credentialId);

/** Rows of many statements, a hundred in a batch. */
async function inBatches<T>(db: Db, statements: readonly ReturnType<typeof db.all<T>>[]): Promise<T[][]> {
  const rows: T[][] = [];
  for (let i = 0; i < statements.length; i += BATCH) rows.push(...(await batch(db, statements.slice(i, i + BATCH))));
  return rows;
}

/**
 * What seats may see now: statements by holder, then by view.
 * @param requested of each view by its name  @returns ids by view, and the seats whose right has ended
 */
export async function lookUp(db: Db, hospitalId: string, seats: readonly Seat[], requested: ReadonlyMap<string, Requested>) {
  const now = Date.now();
  const holders = [...new Map(seats.map((seat) => [holderId(seat), seat])).values()];
  const found = await inBatches(
    db,
    holders.map((seat) => standingStatement(db, principalOf(seat), now)),
  );
  const standings = new Map(holders.map((seat, i) => [holderId(seat), standingOf(found[i]?.[0])]));
  const ended = new Set<Seat>();
  const views = new Map<string, { seat: Seat; standing: Standing }>();
  for (const seat of seats) {
    const standing = standings.get(holderId(seat)) ?? null;
    if (standing && isSame(standing, seat)) views.set(seat.view, { seat, standing });
    else ended.add(seat);
  }
  const named = [...views];
  const rows = await inBatches(
    db,
    named.map(([view, { seat, standing }]) => {
      const ids = requested.get(view) ?? null;
      const patients = ids
        ? namedPatients(standing, principalOf(seat), ids)
        : monitoredPatients(standing, principalOf(seat), hospitalId);
      return db.all<{ id: string; hospital_id?: string }>(patients);
    }),
  );
  const here = (row: { hospital_id?: string }) => row.hospital_id === undefined || row.hospital_id === hospitalId;
  const patients = new Map(named.map(([view], i) => [view, (rows[i] ?? []).filter(here).map(({ id }) => id)]));
  return { patients, ended };
}
export type Found = Awaited<ReturnType<typeof lookUp>>;

/** Another role, another hospital or other eyes: the view was opened for somebody else. */
function isSame(standing: Standing, seat: Seat): boolean {
  return (
    mayEver(standing, "patient:read") &&
    standing.role === seat.role &&
    standing.hospitalId === seat.actingFor &&
    seat.view.startsWith(`${eyes(standing, seat.holder)}/`)
  );
}
