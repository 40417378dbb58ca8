// The log that a request for checkpoints, proofs or checks is about, and what a caller may be shown of an entry of it.
import type { UserCall, UserEffectiveRole } from "../access/actor.ts";
import { denyNotFound } from "../access/deny.ts";
import type { Permission } from "../access/permissions.ts";
import { type LogEntry, NO_HOSPITAL_LOG } from "../audit-log/contract.ts";

/** A hospital's id, or `none` for the log of events of no hospital. */
export type LogQuery = { hospital_id?: string | undefined };

/** Log ids as the API names them. */
export const toHospitalId = (logId: string): string | null => (logId === NO_HOSPITAL_LOG ? null : logId);

/**
 * The log of the caller's hospital; platform administrators name one, and get the log of no hospital otherwise.
 * @param hospitalIds those that exist, of the one named  @throws ApiError not_found (audited) for another hospital and an unknown one
 */
export async function requireLog(
  call: UserCall,
  permission: Permission,
  effectiveRole: UserEffectiveRole,
  { hospital_id: requested }: LogQuery,
  hospitalIds: readonly { id: string }[],
): Promise<string> {
  const { role, hospitalId } = effectiveRole;
  if (role !== "admin" && hospitalId !== null && (requested ?? hospitalId) === hospitalId) return hospitalId;
  if (role === "admin" && (requested ?? NO_HOSPITAL_LOG) === NO_HOSPITAL_LOG) return NO_HOSPITAL_LOG;
  const isFound = role === "admin" && hospitalIds.some(({ id }) => id === requested);
  if (isFound && requested !== undefined) return requested;
  return denyNotFound(call, permission, effectiveRole, { hospital: requested ?? "" });
}

/** Whether the list hides which hospital an event belongs to: a denial of the caller's own staff at another one. */
export const isDeniedAbroad = (entry: LogEntry, { role, hospitalId }: UserEffectiveRole): boolean =>
  role === "hospital_admin" && entry.actor_hospital_id === hospitalId && entry.outcome === "denied";

/** Whether the list hides the IP address: of staff of another hospital from an administrator of this one, and from patients always. */
export const isAddressHidden = ({ actor_hospital_id: workplaceId }: LogEntry, { role, hospitalId }: UserEffectiveRole): boolean =>
  role !== "admin" && (role !== "hospital_admin" || (workplaceId !== null && workplaceId !== hospitalId));

/** The patients of an entry whom the reader may see: all, those of the own hospital's data, or the own records. */
export function visiblePatients(
  entry: LogEntry,
  { role, hospitalId }: UserEffectiveRole,
  ownIds: readonly string[] | null,
): string[] {
  if (role === "admin") return entry.subjects;
  if (role === "hospital_admin") return entry.hospital_id === hospitalId ? entry.subjects : [];
  return entry.subjects.filter((id) => ownIds?.includes(id));
}
