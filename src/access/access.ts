// Access by role: who may perform which operation at all. Access to one patient is in patient-access.ts.
import type { BatchResponse } from "drizzle-orm/batch";
import { batch, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import type { Call, EffectiveRole, PrincipalCall, UserCall, UserEffectiveRole } from "./actor.ts";
import { credentialExists, markUsed } from "./credentials.ts";
import { type Denial, denyAccess } from "./deny.ts";
import { denyDevice } from "./device-access.ts";
import {
  assertEffectiveRole,
  isSameEffectiveRole,
  roleFromToken,
  selectEffectiveRole,
  toEffectiveRole,
} from "./effective-role.ts";
import { failWrite, rememberSession } from "./known-sessions.ts";
import { type Permission, roleAllows, roleMightAllow } from "./permissions.ts";
import { findSignInDenial } from "./sign-in.ts";

type Authorized<C, S, T extends readonly Statement[]> = { call: C; effectiveRole: S; results: BatchResponse<T> };

/**
 * Runs statements for a user or an app together with the check of their session or credential, in one round trip.
 * `build` gets the role that the token claims; when the database has another role, the statements are built and run
 * again with it.
 * @throws ApiError unauthenticated, forbidden (both audited)
 */
export async function withPrincipal<const T extends readonly Statement[]>(
  anyCall: Call,
  permission: Permission,
  build: (effectiveRole: EffectiveRole, call: PrincipalCall) => T | Promise<T>,
): Promise<Authorized<PrincipalCall, EffectiveRole, T>> {
  const { db, actor, now } = anyCall;
  if (actor.kind === "device") return denyDevice(anyCall, actor, permission);
  if (actor.kind !== "user" && actor.kind !== "app") throw new ApiError("unauthenticated");
  const call: PrincipalCall = { ...anyCall, actor };
  let effectiveRole = roleFromToken(actor);
  for (let attempt = 0; attempt < 3; attempt++) {
    const allowed = roleMightAllow(effectiveRole, permission);
    const statements: readonly Statement[] = allowed ? await build(effectiveRole, call) : [];
    const markUsedStatements = actor.kind === "app" ? [markUsed(db, actor, now)] : [];
    const [rows, ...results] = await batch(db, [selectEffectiveRole(db, actor, now), ...statements, ...markUsedStatements]);
    const current = toEffectiveRole(rows[0]);
    if (!current)
      return denyAccess(call, permission, "unauthenticated", actor.kind === "app" ? { when: credentialExists(actor) } : {});
    rememberSession(actor, now);
    if (isSameEffectiveRole(current, effectiveRole)) {
      const denial = findRoleDenial(current, permission, now);
      if (denial) return denyAccess(call, permission, denial, { role: current.role, hospitalId: current.hospitalId });
      call.debug?.("access granted", { action: permission, role: current.role });
      return { call, effectiveRole: current, results: results as BatchResponse<T> };
    }
    effectiveRole = current;
  }
  throw new ApiError("unavailable");
}

export const findRoleDenial = (effectiveRole: EffectiveRole, permission: Permission, now: number) =>
  roleAllows(effectiveRole, permission) ? findSignInDenial(effectiveRole, permission, now) : "forbidden";

/** Like `withPrincipal`, for users only: apps get forbidden. */
export async function withUser<const T extends readonly Statement[]>(
  anyCall: Call,
  permission: Permission,
  build: (effectiveRole: UserEffectiveRole, call: UserCall) => T | Promise<T>,
): Promise<Authorized<UserCall, UserEffectiveRole, T>> {
  const { actor } = anyCall;
  if (actor.kind === "app") {
    const { effectiveRole } = await withPrincipal(anyCall, permission, () => []);
    return denyAccess(anyCall, permission, "forbidden", { role: effectiveRole.role, hospitalId: effectiveRole.hospitalId });
  }
  const decided = await withPrincipal(anyCall, permission, (effectiveRole, call) =>
    effectiveRole.role === "app" || call.actor.kind === "app"
      ? failUnreachable()
      : build(effectiveRole, { ...call, actor: call.actor }),
  );
  const { call, effectiveRole, results } = decided;
  if (effectiveRole.role === "app" || call.actor.kind === "app") return failUnreachable();
  return { call: { ...call, actor: call.actor }, effectiveRole, results };
}

function failUnreachable(): never {
  throw new Error("an app passed an access check for users");
}

/** The check without statements, for operations that write later. */
export async function requireRole(
  anyCall: Call,
  permission: Permission,
): Promise<{ call: UserCall; effectiveRole: UserEffectiveRole }> {
  const { call, effectiveRole } = await withUser(anyCall, permission, () => []);
  return { call, effectiveRole };
}

/**
 * Runs the check and the writes of a user or an app in one batch. `write` puts `checkStatements` first into its batch. It gets
 * the role that the token claims; when the database has another role, nothing is written and it runs again.
 * @param findDenial the denial for a role, or null  @throws ApiError unauthenticated, forbidden and the denial (audited)
 */
export async function withWriter<T>(
  anyCall: Call,
  permission: Permission,
  findDenial: (effectiveRole: EffectiveRole, call: PrincipalCall) => Denial | null,
  write: (effectiveRole: EffectiveRole, call: PrincipalCall, checkStatements: Statement[]) => Promise<T>,
): Promise<T> {
  const { db, actor, now } = anyCall;
  if (actor.kind === "user" || actor.kind === "app") {
    const call = { ...anyCall, actor };
    const claimedRole = roleFromToken(actor);
    const markUsedStatements = actor.kind === "app" ? [markUsed(db, actor, now)] : [];
    if (roleMightAllow(claimedRole, permission) && !findDenial(claimedRole, call)) {
      try {
        const check = assertEffectiveRole(db, actor, claimedRole, permission, now);
        const written = await write(claimedRole, call, [check, ...markUsedStatements]);
        rememberSession(actor, now);
        return written;
      } catch (error) {
        if (!isRoleChanged(error)) return failWrite(anyCall, error);
      }
    }
  }
  const { call, effectiveRole } = await withPrincipal(anyCall, permission, () => []);
  const denial = findDenial(effectiveRole, call);
  if (denial instanceof ApiError) throw denial;
  if (denial) return denyAccess(call, permission, denial.error, { role: effectiveRole.role, ...denial.facts });
  return write(effectiveRole, call, []);
}
