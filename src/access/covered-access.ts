// What a consent covers of the access that it opens: one item by kind and time, a span, and the repeated check of a stream.
import type { Call } from "./actor.ts";
import { type ConsentKind, clampToGrants, findGrant } from "./consented.ts";
import { denyAccess } from "./deny.ts";
import { type Access, isBeyondRole } from "./patient-access.ts";
import type { Permission } from "./permissions.ts";

const denyUncovered = (
  call: Call,
  { role, hospitalId, effectiveRole, patient }: Access,
  permission: Permission,
  target?: object,
) =>
  denyAccess(call, permission, "not_found", {
    ...{ role, hospitalId, callerHospitalId: effectiveRole?.hospitalId ?? null, patientId: patient.id },
    ...(target && { target: { ...target } }),
  });

/**
 * The access to data of a kind from a time (Unix ms), which a consent must cover; any other basis covers all.
 * @throws ApiError not_found
 */
export async function coverTime(
  call: Call,
  access: Access,
  permission: Permission,
  { kind, at, target }: { kind: ConsentKind; at: number; target?: Record<string, string> },
): Promise<Access> {
  if (access.grants === undefined) return access;
  const grant = findGrant(access.grants, kind, at, target?.["document"]);
  return grant ? { ...access, grants: [grant] } : denyUncovered(call, access, permission, target);
}

/**
 * The access to data of a kind over a span (Unix ms, `to` excluded), and the part of the span that one consent covers; any other basis
 * covers all. @param unitMs only whole units, such as hours, for data that cannot be divided further  @throws ApiError not_found
 */
export async function coverSpan(
  call: Call,
  access: Access,
  permission: Permission,
  { kind, from, to, unitMs = 1 }: { kind: ConsentKind; from: number; to: number; unitMs?: number },
): Promise<{ access: Access; span: { from: number; to: number } }> {
  if (access.grants === undefined) return { access, span: { from, to } };
  const part = clampToGrants(access.grants, kind, { from, to: to - 1 });
  const whole = part && {
    from: Math.ceil(part.from / unitMs) * unitMs,
    to: Math.floor((part.to + 1) / unitMs) * unitMs,
  };
  if (!part || !whole || whole.from >= whole.to) return denyUncovered(call, access, permission);
  return { access: { ...access, grants: [part.grant] }, span: whole };
}

/** For a file that is sent: the check to repeat, by the clock of that moment, where the access may end meanwhile. */
export const repeatCheck = (call: Call, access: Access, check: (call: Call) => Promise<unknown>) =>
  isBeyondRole(access) ? () => check({ ...call, now: Date.now() }) : undefined;
