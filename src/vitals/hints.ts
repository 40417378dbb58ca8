// Which object to try for a credential. A hint decides nothing: the object refuses what is not its own.
const TTL_S = 24 * 3600;
const NEAR_MS = 60_000;
const MOST = 20_000;

const near = new Map<string, { patientId: string; until: number }>();
const keyOf = (credentialId: string) => `hint:${credentialId}`;

export async function hintOf(env: Env, credentialId: string): Promise<string | null> {
  const known = near.get(credentialId);
  if (known && known.until > Date.now()) return known.patientId;
  // Without KV there is no hint, and D1 is asked.
  const patientId = await env.KV.get(keyOf(credentialId), { cacheTtl: 60 }).catch(() => null);
  if (patientId !== null) remember(credentialId, patientId);
  return patientId;
}

function remember(credentialId: string, patientId: string): void {
  if (near.size >= MOST) near.clear();
  near.set(credentialId, { patientId, until: Date.now() + NEAR_MS });
}

export async function keepHint(env: Env, credentialId: string, patientId: string): Promise<void> {
  if (near.get(credentialId)?.patientId === patientId) return;
  remember(credentialId, patientId);
  await env.KV.put(keyOf(credentialId), patientId, { expirationTtl: TTL_S }).catch(() => undefined);
}

export async function forgetHint(env: Env, credentialId: string): Promise<void> {
  if (!near.delete(credentialId)) return;
  await env.KV.delete(keyOf(credentialId)).catch(() => undefined);
}
