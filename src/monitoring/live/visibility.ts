// What a socket may see: asked of D1 when it opens, when a right changes and every minute.
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { patientVisibility } from "../../access/access.ts";
import type { EffectiveRole, Principal } from "../../access/actor.ts";
import { selectEffectiveRole, toEffectiveRole } from "../../access/effective-role.ts";
import { roleAllows } from "../../access/permissions.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { ROLES } from "../../platform/db/schema.ts";

/** Patients of one hospital: these, or all that are monitored. */
export type RequestedPatients = readonly string[] | null;

export const Subscription = z.strictObject({
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
export type Subscription = z.infer<typeof Subscription>;

const BATCH_SIZE = 100;

/** Patients of a hospital that a view of all shows: monitored, or with a device now; only those that the caller may see. */
export function monitoredPatients(currentRole: EffectiveRole, actor: Principal, hospitalId: string): SQL {
  // `+` keeps the index of the monitored and of the assignments in the lead.
  const scope = patientVisibility(currentRole, actor, sql`+p.id`, sql`+p.hospital_id`);
  return sql`SELECT p.id AS id FROM patients p WHERE p.monitoring <> 'off' AND p.monitoring IN ('home', 'ward')
      AND p.hospital_id = ${hospitalId} AND ${scope}
    UNION SELECT p.id AS id FROM devices d JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL
      JOIN patients p ON p.id = a.patient_id AND p.hospital_id = ${hospitalId}
      WHERE d.hospital_id = ${hospitalId} AND ${scope}`;
}

/** Of the patients that were named, those whom the caller may see, with their hospitals. */
export function namedPatients(currentRole: EffectiveRole, actor: Principal, patientIds: readonly string[]): SQL {
  const scope = patientVisibility(currentRole, actor, sql`p.id`, sql`p.hospital_id`);
  return sql`SELECT p.id AS id, p.hospital_id AS hospital_id FROM patients p
    WHERE p.id IN (SELECT value FROM json_each(${JSON.stringify(patientIds)})) AND ${scope}`;
}

/** Whose eyes a view is seen with: all of a hospital's patients, or those of one person. */
function visibilityKey(currentRole: EffectiveRole, holder: Subscription["holder"]): string {
  switch (currentRole.role) {
    case "admin":
    case "nurse":
    case "hospital_admin":
    case "app":
      return "hospital";
    case "doctor":
      if (currentRole.doctorScope === "hospital") return "hospital";
      break;
    case "patient":
      break;
  }
  return holder.kind === "user" ? holder.userId : holder.credentialId;
}

/** The name of a view. Who asks for the same patients with the same eyes shares it. */
export async function toViewKey(
  currentRole: EffectiveRole,
  holder: Subscription["holder"],
  requested: RequestedPatients,
): Promise<string> {
  const patientsKey = requested ? (await sha256Hex([...requested].sort().join())).slice(0, 32) : "all";
  return `${visibilityKey(currentRole, holder)}/${patientsKey}`;
}

function toPrincipal({ holder, role, actingFor }: Subscription): Principal {
  const via = { requestId: "feed", ip: null };
  if (holder.kind === "app" || role === "app") {
    const { credentialId, hospitalId } =
      holder.kind === "app" ? holder : { credentialId: holder.sessionId, hospitalId: actingFor ?? "" };
    return { kind: "app", credentialId, hospitalId, secretHash: null, via };
  }
  return { ...holder, claimedRole: { role, hospitalId: actingFor, doctorScope: "care_team" }, via };
}

const holderId = ({ holder }: Subscription) => (holder.kind === "user" ? holder.sessionId : holder.credentialId);

/** Rows of many statements, a hundred in a batch. */
async function runInBatches<T>(db: Db, statements: readonly ReturnType<typeof db.all<T>>[]): Promise<T[][]> {
  const rows: T[][] = [];
  for (let i = 0; i < statements.length; i += BATCH_SIZE) rows.push(...(await batch(db, statements.slice(i, i + BATCH_SIZE))));
  return rows;
}

/**
 * What seats may see now: statements by holder, then by view.
 * @param requested of each view by its name  @returns ids by view, and the seats whose right has ended
 */
export async function findVisiblePatients(
  db: Db,
  hospitalId: string,
  subscriptions: readonly Subscription[],
  requested: ReadonlyMap<string, RequestedPatients>,
) {
  const now = Date.now();
  const holders = [...new Map(subscriptions.map((subscription) => [holderId(subscription), subscription])).values()];
  const roleRows = await runInBatches(
    db,
    holders.map((subscription) => selectEffectiveRole(db, toPrincipal(subscription), now)),
  );
  const currentRoles = new Map(holders.map((subscription, i) => [holderId(subscription), toEffectiveRole(roleRows[i]?.[0])]));
  const ended = new Set<Subscription>();
  const views = new Map<string, { subscription: Subscription; currentRole: EffectiveRole }>();
  for (const subscription of subscriptions) {
    const currentRole = currentRoles.get(holderId(subscription)) ?? null;
    if (currentRole && isUnchanged(currentRole, subscription)) views.set(subscription.view, { subscription, currentRole });
    else ended.add(subscription);
  }
  const viewEntries = [...views];
  const rows = await runInBatches(
    db,
    viewEntries.map(([view, { subscription, currentRole }]) => {
      const ids = requested.get(view) ?? null;
      const patients = ids
        ? namedPatients(currentRole, toPrincipal(subscription), ids)
        : monitoredPatients(currentRole, toPrincipal(subscription), hospitalId);
      return db.all<{ id: string; hospital_id?: string }>(patients);
    }),
  );
  const isOfHospital = (row: { hospital_id?: string }) => row.hospital_id === undefined || row.hospital_id === hospitalId;
  const patients = new Map(viewEntries.map(([view], i) => [view, (rows[i] ?? []).filter(isOfHospital).map(({ id }) => id)]));
  return { patients, ended };
}
export type VisiblePatients = Awaited<ReturnType<typeof findVisiblePatients>>;

/** Another role, another hospital or other eyes: the view was opened for somebody else. */
function isUnchanged(currentRole: EffectiveRole, subscription: Subscription): boolean {
  return (
    roleAllows(currentRole, "patient:read") &&
    currentRole.role === subscription.role &&
    currentRole.hospitalId === subscription.actingFor &&
    subscription.view.startsWith(`${visibilityKey(currentRole, subscription.holder)}/`)
  );
}
