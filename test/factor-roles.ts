// The role of a session at a time, as every access check reads it.
import type { UserCall } from "../src/access/actor.ts";
import { selectEffectiveRole, toEffectiveRole } from "../src/access/effective-role.ts";

export async function resolveRole({ db, actor, now }: UserCall) {
  const [row] = await selectEffectiveRole(db, actor, now);
  const role = toEffectiveRole(row);
  return role?.role === "app" ? null : role;
}
