// Visible patients per socket, queried from D1 when it opens, when rights change and every minute.
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { EffectiveRole, Principal } from "../../access/actor.ts";
import { parseRowConsent, selectConsentOf } from "../../access/consented.ts";
import { selectEffectiveRole, toEffectiveRole } from "../../access/effective-role.ts";
import { parseRowEmergency, selectEmergencyOf } from "../../access/emergency.ts";
import { roleAllows } from "../../access/permissions.ts";
import { findSignInDenial } from "../../access/sign-in.ts";
import { patientVisibility } from "../../access/visibility.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { ROLES } from "../../platform/db/schema.ts";
import type { LiveGrant } from "./live-grant.ts";

/** Patient ids of one hospital; null for all monitored patients. */
export type RequestedPatients = readonly string[] | null;
/** `grant`: by what the patient is visible in a view beyond the role; else null. */
export type VisiblePatient = { id: string; grant: LiveGrant | null };

export const Subscription = z.strictObject({
  holder: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("user"), userId: z.string(), sessionId: z.string() }),
    z.strictObject({ kind: z.literal("app"), credentialId: z.string(), hospitalId: z.string() }),
  ]),
  /** The holder's role when the view opened; a change ends it. */
  role: z.enum([...ROLES, "app"]),
  actingFor: z.string().nullable(),
  /** Key of the view; subscriptions with the same key see the same patients. */
  view: z.string(),
});
/** The holder and view of a socket, without the list of requested patients. */
export type Subscription = z.infer<typeof Subscription>;

/** The feed that is notified about users without a hospital: patients and administrators. */
const NO_HOSPITAL_FEED = "none";
/** The feed that is notified about changes of the holder's rights: that of the hospital they act for. */
export const toHomeFeed = ({ actingFor }: Subscription): string => actingFor ?? NO_HOSPITAL_FEED;

const BATCH_SIZE = 100;

/** Patients of a hospital's view: monitored or with an assigned device, and visible to the caller. */
export function monitoredPatients(currentRole: EffectiveRole, actor: Principal, hospitalId: string): SQL {
  // `+` makes SQLite use the indexes of monitored patients and assignments.
  const scope = patientVisibility(currentRole, actor, sql`+p.id`, sql`+p.hospital_id`);
  return sql`SELECT p.id AS id FROM patients p WHERE p.monitoring <> 'off' AND p.monitoring IN ('home', 'ward')
      AND p.hospital_id = ${hospitalId} AND ${scope}
    UNION SELECT p.id AS id FROM devices d JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL
      JOIN patients p ON p.id = a.patient_id AND p.hospital_id = ${hospitalId}
      WHERE d.hospital_id = ${hospitalId} AND ${scope}`;
}

/**
 * A row of `namedPatients`. `consent`: of `selectConsentOf`, for a patient of another hospital. `emergency`: of `selectEmergencyOf`,
 * where one patient is named.
 */
export type NamedPatientRow = {
  id: string;
  hospital_id: string;
  is_in_scope: number;
  consent: string | null;
  emergency: string | null;
};

/**
 * The named patients whom the caller may see, with their hospitals: by role, those of other hospitals by a consent for vitals of this
 * time, and one alone by an emergency access.
 */
export function namedPatients(currentRole: EffectiveRole, actor: Principal, patientIds: readonly string[], now: number): SQL {
  const scope = patientVisibility(currentRole, actor, sql`p.id`, sql`p.hospital_id`);
  const row = { patientId: sql`p.id`, kind: sql`'observations'`, at: sql`${now}` };
  const emergency = patientIds.length === 1 ? selectEmergencyOf(currentRole, actor, now, sql`p.id`) : sql`NULL`;
  return sql`SELECT * FROM (SELECT p.id AS id, p.hospital_id AS hospital_id, (${scope}) AS is_in_scope, ${emergency} AS emergency,
      CASE WHEN p.hospital_id = ${currentRole.hospitalId} THEN NULL ELSE ${selectConsentOf(currentRole, actor, now, row)} END AS consent
      FROM patients p WHERE p.id IN (SELECT value FROM json_each(${JSON.stringify(patientIds)})))
    WHERE is_in_scope OR consent IS NOT NULL OR emergency IS NOT NULL`;
}

/** What shows the patient of a row beyond the role, as JSON; null where the role shows the patient. */
export const groundOf = ({ is_in_scope, consent, emergency }: NamedPatientRow): string | null =>
  is_in_scope === 1 ? null : (emergency ?? consent);

/** Begins the keys of views by consent, which show vitals alone (shared-vitals.ts). */
const CONSENT_KEY = "consent:";
export const isViewByConsent = (viewKey: string): boolean => viewKey.startsWith(CONSENT_KEY);
/** Begins the keys of views by emergency access: of one person and one patient. */
const EMERGENCY_KEY = "emergency:";
export const isViewInEmergency = (viewKey: string): boolean => viewKey.startsWith(EMERGENCY_KEY);
export const isViewByGrant = (viewKey: string): boolean => isViewByConsent(viewKey) || isViewInEmergency(viewKey);

const emergencyKey = ({ hospitalId }: EffectiveRole, holder: Subscription["holder"]): string =>
  `${EMERGENCY_KEY}${hospitalId}:${holderScope(holder)}`;

/** The scope of a view in the feed of a hospital. Other hospitals' staff share no view with anybody: a consent may be for one of them. */
function visibilityKey(currentRole: EffectiveRole, holder: Subscription["holder"], hospitalId: string): string {
  const { role } = currentRole;
  const isStaff = role === "nurse" || role === "hospital_admin" || role === "doctor";
  const isForeign = isStaff && currentRole.hospitalId !== hospitalId;
  const scope = roleScope(currentRole, holder);
  return isForeign ? `${CONSENT_KEY}${currentRole.hospitalId}:${scope}:${holderScope(holder)}` : scope;
}

/** All patients that a role sees, or the patients of one holder. */
function roleScope(currentRole: EffectiveRole, holder: Subscription["holder"]): string {
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
  return holderScope(holder);
}

const holderScope = (holder: Subscription["holder"]): string => (holder.kind === "user" ? holder.userId : holder.credentialId);

/** Key of a view in the feed of a hospital, shared by subscriptions with the same scope and requested patients. */
export async function toViewKey(
  currentRole: EffectiveRole,
  holder: Subscription["holder"],
  { requested, hospitalId, isInEmergency }: { requested: RequestedPatients; hospitalId: string; isInEmergency: boolean },
): Promise<string> {
  const patientsKey = requested ? (await sha256Hex([...requested].sort().join())).slice(0, 32) : "all";
  const scope = isInEmergency ? emergencyKey(currentRole, holder) : visibilityKey(currentRole, holder, hospitalId);
  return `${scope}/${patientsKey}`;
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

/** Runs statements in batches of BATCH_SIZE. */
async function runInBatches<T>(db: Db, statements: readonly ReturnType<typeof db.all<T>>[]): Promise<T[][]> {
  const rows: T[][] = [];
  for (let i = 0; i < statements.length; i += BATCH_SIZE) rows.push(...(await batch(db, statements.slice(i, i + BATCH_SIZE))));
  return rows;
}

/**
 * Queries what subscriptions may see now: roles by holder, then patients by view.
 * @param requested by view key  @returns visible patients by view key, and the subscriptions whose access has ended
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
    if (currentRole && isUnchanged(currentRole, subscription, hospitalId, now))
      views.set(subscription.view, { subscription, currentRole });
    else ended.add(subscription);
  }
  const viewEntries = [...views];
  const rows = await runInBatches(
    db,
    viewEntries.map(([view, { subscription, currentRole }]) => {
      const ids = requested.get(view) ?? null;
      const patients = ids
        ? namedPatients(currentRole, toPrincipal(subscription), ids, now)
        : monitoredPatients(currentRole, toPrincipal(subscription), hospitalId);
      return db.all<VisibleRow>(patients);
    }),
  );
  const patients = new Map(viewEntries.map(([view], i) => [view, toVisiblePatients(rows[i] ?? [], hospitalId, view)]));
  return { patients, ended };
}
export type VisiblePatients = Awaited<ReturnType<typeof findVisiblePatients>>;

type VisibleRow = { id: string } & Partial<NamedPatientRow>;

/** Those of the feed's hospital; in a view by consent or emergency access those with one, in any other those of the role. */
function toVisiblePatients(rows: readonly VisibleRow[], hospitalId: string, view: string): VisiblePatient[] {
  return rows
    .filter(({ hospital_id = hospitalId }) => hospital_id === hospitalId)
    .flatMap(({ id, is_in_scope = 1, consent, emergency }): VisiblePatient[] => {
      if (isViewInEmergency(view)) return emergency ? [{ id, grant: parseRowEmergency(emergency) }] : [];
      if (isViewByConsent(view)) return consent ? [{ id, grant: parseRowConsent(consent) }] : [];
      return is_in_scope === 1 ? [{ id, grant: null }] : [];
    });
}

/** False after a change of role, hospital or scope, for which the view was not opened, and when the session needs a second step. */
function isUnchanged(currentRole: EffectiveRole, subscription: Subscription, hospitalId: string, now: number): boolean {
  const { holder, view } = subscription;
  const scope = isViewInEmergency(view) ? emergencyKey(currentRole, holder) : visibilityKey(currentRole, holder, hospitalId);
  return (
    roleAllows(currentRole, "live:read") &&
    findSignInDenial(currentRole, "live:read", now) === null &&
    currentRole.role === subscription.role &&
    currentRole.hospitalId === subscription.actingFor &&
    view.startsWith(`${scope}/`)
  );
}
