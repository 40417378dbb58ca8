// Which push services the Worker sends to: the endpoint of a subscription is the caller's choice.
import { getTestOrigins } from "../../platform/config.ts";
import { assertSafeUrl, type ResolveAddresses, UnsafeUrlError } from "../../platform/safe-addresses.ts";

export const MAX_ENDPOINT_BYTES = 2000;

/** A host of DNS with a dot. IP addresses never are push services. */
const HOST_PATTERN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
/** Names that are never public (RFC 6761, RFC 6762, RFC 8375). */
const PRIVATE_NAMES = /\.(?:localhost|local|internal|intranet|lan|home|corp|arpa|test|invalid|example|onion)$/;

/** The push services of browsers, which nobody else gives names to: their names are not looked up before each message. */
const KNOWN_SERVICES = /(?:^|\.)(?:fcm\.googleapis\.com|push\.services\.mozilla\.com|push\.apple\.com|notify\.windows\.com)$/;

/** Whether the address has the form of a push service: https on the usual port and a public name, or a local service of tests. */
export function isPushEndpoint(env: Env, endpoint: string): boolean {
  if (endpoint.length > MAX_ENDPOINT_BYTES || !URL.canParse(endpoint)) return false;
  const { protocol, hostname, port, username, password, hash, origin } = new URL(endpoint);
  if (username || password || hash) return false;
  if (getTestOrigins(env, "PUSH_TEST_ORIGINS").has(origin)) return true;
  return protocol === "https:" && port === "" && HOST_PATTERN.test(hostname) && !PRIVATE_NAMES.test(hostname);
}

/**
 * Whether messages may be sent there: the name must also have public addresses only.
 * @throws Error when the name could not be resolved
 */
export async function isSafePushEndpoint(
  env: Env,
  endpoint: string,
  signal: AbortSignal,
  resolve?: ResolveAddresses,
): Promise<boolean> {
  if (!isPushEndpoint(env, endpoint)) return false;
  if (KNOWN_SERVICES.test(new URL(endpoint).hostname)) return true;
  try {
    await assertSafeUrl(endpoint, getTestOrigins(env, "PUSH_TEST_ORIGINS"), signal, resolve);
    return true;
  } catch (error) {
    if (error instanceof UnsafeUrlError) return false;
    throw error;
  }
}
