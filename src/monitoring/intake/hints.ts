// Which object to try for a credential. A hint decides nothing: the object refuses what is not its own. It is looked for in the
// isolate, in the location's own cache, which is free, and in KV, which every location shares; without one, D1 is asked.
const TTL_S = 24 * 3600;
const NEAR_MS = 60_000;
const MOST = 20_000;

const near = new Map<string, { patientId: string; until: number }>();
const keyOf = (credentialId: string) => `hint:${credentialId}`;
/** A name that no request from outside can have. */
const urlOf = (credentialId: string) => `https://hints.invalid/${credentialId}`;

export async function hintOf(env: Env, credentialId: string): Promise<string | null> {
  const known = near.get(credentialId);
  if (known && known.until > Date.now()) return known.patientId;
  const cached = await caches.default.match(urlOf(credentialId)).catch(() => undefined);
  const patientId = cached ? await cached.text() : await env.KV.get(keyOf(credentialId), { cacheTtl: 60 }).catch(() => null);
  if (patientId === null) return null;
  remember(credentialId, patientId);
  if (!cached) await cache(credentialId, patientId);
  return patientId;
}

function remember(credentialId: string, patientId: string): void {
  if (near.size >= MOST) near.clear();
  near.set(credentialId, { patientId, until: Date.now() + NEAR_MS });
}

async function cache(credentialId: string, patientId: string): Promise<void> {
  const headers = { "Cache-Control": `max-age=${TTL_S}` };
  await caches.default.put(urlOf(credentialId), new Response(patientId, { headers })).catch(() => undefined);
}

export async function keepHint(env: Env, credentialId: string, patientId: string): Promise<void> {
  if (near.get(credentialId)?.patientId === patientId) return;
  remember(credentialId, patientId);
  const kept = env.KV.put(keyOf(credentialId), patientId, { expirationTtl: TTL_S }).catch(() => undefined);
  await Promise.all([cache(credentialId, patientId), kept]);
}

export async function forgetHint(env: Env, credentialId: string): Promise<void> {
  if (!near.delete(credentialId)) return;
  const forgotten = env.KV.delete(keyOf(credentialId)).catch(() => undefined);
  await Promise.all([caches.default.delete(urlOf(credentialId)).catch(() => false), forgotten]);
}
