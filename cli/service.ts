// Requests of commands to a service, as the person whose access token is in EDGECARE_TOKEN.
import type { z } from "zod";
import { isRetryable, pause, retryDelay, sendRequest } from "./simulate/http.ts";

const MAX_ATTEMPTS = 5;

/** What a command prints before it ends with exit code 1. */
export class ServiceError extends Error {}

export type Service = { base: URL; token: string };

/** @throws ServiceError for an address that would send the token without encryption, or without a token */
export function openService(url: string): Service {
  const base = URL.canParse(url) ? new URL(url) : null;
  const isLocal = base !== null && ["localhost", "127.0.0.1", "[::1]"].includes(base.hostname);
  if (!base || !(base.protocol === "https:" || (base.protocol === "http:" && isLocal)))
    throw new ServiceError(`${url} is no https address.`);
  const token = process.env["EDGECARE_TOKEN"];
  if (!token) throw new ServiceError("Set EDGECARE_TOKEN to an access token.");
  return { base, token };
}

/**
 * Fetches and validates a JSON resource; repeats requests that may succeed later.
 * @param json sent with POST, for an operation that may be repeated  @throws ServiceError
 */
export async function fetchJson<S extends z.ZodType>(
  { base, token }: Service,
  path: string,
  schema: S,
  json?: object,
): Promise<z.output<S>> {
  const { signal } = new AbortController();
  for (let attempt = 1; ; attempt++) {
    const response = await sendRequest(new URL(`/api/v1${path}`, base), {
      token,
      signal,
      ...(json && { method: "POST", json }),
    }).catch(() => null);
    if (response?.status === 200) {
      const parsed = schema.safeParse(response.body);
      if (parsed.success) return parsed.data;
      throw new ServiceError(`${base.origin} is no EdgeCare service of this version.`);
    }
    if (attempt === MAX_ATTEMPTS || (response && !isRetryable(response.status)))
      throw new ServiceError(
        response ? `The service answered ${response.status} to ${path}.` : `${base.origin} does not answer.`,
      );
    await pause(retryDelay(attempt, response?.retryAfterMs ?? null), signal);
  }
}
