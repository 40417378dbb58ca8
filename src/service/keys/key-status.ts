// What is sealed under which key of FIELD_KEYS, as the job that seals again has counted it.
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import type { KeyRing } from "../../platform/crypto.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { isKeyFree, type Progress, selectProgress, toProgress } from "./progress.ts";
import { STORE_NAMES } from "./seal-again.ts";

/** Reads the rows of the job, one per store; nothing is counted. Requires `admin:read`. */
export async function getKeyStatus(anyCall: Call) {
  const { call, effectiveRole, results } = await withUser(anyCall, "admin:read", (_, call) => [selectProgress(call.db)]);
  const [rows] = results;
  const { fields } = call.keys;
  const stores = rows.map(toProgress).filter(({ store }) => STORE_NAMES.includes(store));
  await appendAuditEvent(call, { event: "admin.keys", action: "R", role: effectiveRole.role });
  return {
    current_key_id: fields.currentKid,
    keys: listKeyIds(fields, stores).map((keyId) => toKey(fields, keyId, stores)),
    stores: stores.map(toStore),
  };
}

/** Those of the ring, and others that values still name. */
function listKeyIds(ring: KeyRing, stores: readonly Progress[]): string[] {
  const counted = stores.flatMap(({ remaining }) =>
    Object.entries(remaining ?? {}).flatMap(([keyId, n]) => (n > 0 ? [keyId] : [])),
  );
  return [...new Set([...ring.keys.keys(), ...counted])];
}

function toKey(ring: KeyRing, keyId: string, stores: readonly Progress[]) {
  const isCounted = STORE_NAMES.every((name) => stores.some(({ store, remaining }) => store === name && remaining !== null));
  const values = stores.reduce((sum, { remaining }) => sum + (remaining?.[keyId] ?? 0), 0);
  const isInRing = ring.keys.has(keyId);
  return {
    key_id: keyId,
    in_ring: isInRing,
    values: isCounted ? values : null,
    can_be_dropped: isInRing && keyId !== ring.currentKid && isKeyFree(ring, keyId, stores, STORE_NAMES),
  };
}

const toStore = ({ store, phase, remaining, unreadable, countedAt, phaseStartedAt }: Progress) => ({
  store,
  phase,
  values: remaining,
  unreadable,
  counted_at: toIsoOrNull(countedAt),
  phase_started_at: toIso(phaseStartedAt),
});
