// Cache of the patient per device credential. A hint grants nothing: the object rejects unknown credentials. Lookup order: isolate,
// cache of the location (free), KV (shared); without a hint the Worker reads D1.
const HINT_TTL_S = 24 * 3600;
const ISOLATE_TTL_MS = 60_000;
const MAX_ISOLATE_HINTS = 20_000;

const isolateHints = new Map<string, { patientId: string; until: number }>();
const toKvKey = (credentialId: string) => `hint:${credentialId}`;
/** A URL that no external request can have. */
const toCacheUrl = (credentialId: string) => `https://hints.invalid/${credentialId}`;

export async function findPatientHint(env: Env, credentialId: string): Promise<string | null> {
  const isolateHint = isolateHints.get(credentialId);
  if (isolateHint && isolateHint.until > Date.now()) return isolateHint.patientId;
  const cached = await caches.default.match(toCacheUrl(credentialId)).catch(() => undefined);
  const patientId = cached ? await cached.text() : await env.KV.get(toKvKey(credentialId), { cacheTtl: 60 }).catch(() => null);
  if (patientId === null) return null;
  cacheInIsolate(credentialId, patientId);
  if (!cached) await cacheInLocation(credentialId, patientId);
  return patientId;
}

function cacheInIsolate(credentialId: string, patientId: string): void {
  if (isolateHints.size >= MAX_ISOLATE_HINTS) isolateHints.clear();
  isolateHints.set(credentialId, { patientId, until: Date.now() + ISOLATE_TTL_MS });
}

async function cacheInLocation(credentialId: string, patientId: string): Promise<void> {
  const headers = { "Cache-Control": `max-age=${HINT_TTL_S}` };
  await caches.default.put(toCacheUrl(credentialId), new Response(patientId, { headers })).catch(() => undefined);
}

export async function storePatientHint(env: Env, credentialId: string, patientId: string): Promise<void> {
  if (isolateHints.get(credentialId)?.patientId === patientId) return;
  cacheInIsolate(credentialId, patientId);
  const stored = env.KV.put(toKvKey(credentialId), patientId, { expirationTtl: HINT_TTL_S }).catch(() => undefined);
  await Promise.all([cacheInLocation(credentialId, patientId), stored]);
}

export async function deletePatientHint(env: Env, credentialId: string): Promise<void> {
  if (!isolateHints.delete(credentialId)) return;
  const deleted = env.KV.delete(toKvKey(credentialId)).catch(() => undefined);
  await Promise.all([caches.default.delete(toCacheUrl(credentialId)).catch(() => false), deleted]);
}

/** The hint that all locations share; null without one. */
export const readHint = (kv: KVNamespace, credentialId: string): Promise<string | null> => kv.get(toKvKey(credentialId));

/** Deletes a hint that names this patient. Copies in the caches of other locations end within HINT_TTL_S. */
export async function deleteHint(kv: KVNamespace, credentialId: string, patientId: string): Promise<void> {
  isolateHints.delete(credentialId);
  await caches.default.delete(toCacheUrl(credentialId)).catch(() => false);
  if ((await readHint(kv, credentialId)) === patientId) await kv.delete(toKvKey(credentialId));
}
