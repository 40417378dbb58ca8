// The sealed columns of a webhook: address, description and signing secrets.
import { z } from "zod";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import type { webhooks } from "../../platform/db/schema.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { HOUR_MS } from "../../platform/time.ts";

export type WebhookRow = typeof webhooks.$inferSelect;

/** How long a replaced secret signs beside its successor. */
export const OVERLAP_MS = 24 * HOUR_MS;
/** Secrets of one webhook that sign at the same time. */
export const MAX_SECRETS = 2;
const SECRET_BYTES = 32;

/** `endsAt`: until when a replaced secret is used, epoch milliseconds; null for the current one. */
const Secrets = z.array(z.object({ secret: z.string(), createdAt: z.number(), endsAt: z.number().nullable() }));
export type Secrets = Readonly<z.infer<typeof Secrets>>;

const contextOf = (column: "url" | "description" | "secrets", id: string) => ({ table: "webhooks", column, id });

export const sealUrl = ({ fields }: Keys, id: string, url: string) => sealValue(fields, contextOf("url", id), url);
export const unsealUrl = ({ fields }: Keys, { id, urlSealed }: Pick<WebhookRow, "id" | "urlSealed">) =>
  readSealed(fields, contextOf("url", id), urlSealed, z.string());

export async function sealDescription({ fields }: Keys, id: string, text: string | null): Promise<string | null> {
  return text === null ? null : sealValue(fields, contextOf("description", id), text);
}
export async function unsealDescription({ fields }: Keys, { id, descriptionSealed }: WebhookRow): Promise<string | null> {
  return descriptionSealed === null ? null : readSealed(fields, contextOf("description", id), descriptionSealed, z.string());
}

export const sealSecrets = ({ fields }: Keys, id: string, secrets: Secrets) =>
  sealValue(fields, contextOf("secrets", id), secrets);
export const unsealSecrets = ({ fields }: Keys, { id, secretsSealed }: Pick<WebhookRow, "id" | "secretsSealed">) =>
  readSealed(fields, contextOf("secrets", id), secretsSealed, Secrets);

/** A new signing secret, as the Standard Webhooks specification writes it: `whsec_` and 256 random bits in base64. */
export function createSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}

/** The secrets that sign now, the current one first. */
export function selectCurrentSecrets(secrets: Secrets, now: number): readonly string[] {
  return secrets.filter(({ endsAt }) => endsAt === null || endsAt > now).map(({ secret }) => secret);
}

/** Puts a new secret first; the one that it replaces ends after the overlap, and an older one at once. */
export function replaceSecret(secrets: Secrets, secret: string, now: number): Secrets {
  const [current] = secrets;
  const replaced = current ? [{ ...current, endsAt: now + OVERLAP_MS }] : [];
  return [{ secret, createdAt: now, endsAt: null }, ...replaced].slice(0, MAX_SECRETS);
}
