// Which push services the Worker sends to: the endpoint of a subscription is the caller's choice.
import { getTestOrigins } from "../../platform/config.ts";

export const MAX_ENDPOINT_BYTES = 2048;

/** A host of DNS with a dot. IP addresses never are push services. */
const HOST_PATTERN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
/** Names that are never public (RFC 6761, RFC 6762, RFC 8375). */
const PRIVATE_NAMES = /\.(?:localhost|local|internal|intranet|lan|home|corp|arpa|test|invalid|example|onion)$/;

/** Whether messages may be sent there: https on the usual port and a public name, or a local service of tests. */
export function isPushEndpoint(env: Env, endpoint: string): boolean {
  if (endpoint.length > MAX_ENDPOINT_BYTES || !URL.canParse(endpoint)) return false;
  const { protocol, hostname, port, username, password, hash, origin } = new URL(endpoint);
  if (username || password || hash) return false;
  if (getTestOrigins(env, "PUSH_TEST_ORIGINS").has(origin)) return true;
  return protocol === "https:" && port === "" && HOST_PATTERN.test(hostname) && !PRIVATE_NAMES.test(hostname);
}
