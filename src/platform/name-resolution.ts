// Resolves host names by DNS over HTTPS, Cloudflare's JSON form: a Worker has no resolver of its own, and its requests use this one.
import { z } from "zod";

const RESOLVER = "https://cloudflare-dns.com/dns-query";
const DEADLINE_MS = 3000;
/** Addresses of one name that are looked at. A name with more is refused. */
export const MAX_ADDRESSES = 64;
const RECORD_TYPES = { A: 1, AAAA: 28 } as const;
/** RFC 1035, section 4.1.1: no error, and no such name. */
const RESULT_CODES: ReadonlySet<number> = new Set([0, 3]);

const Reply = z.object({
  Status: z.number(),
  Answer: z.array(z.object({ type: z.number(), data: z.string() })).default([]),
});

export class ResolutionError extends Error {
  override name = "ResolutionError";
}

async function query(name: string, type: keyof typeof RECORD_TYPES, signal: AbortSignal): Promise<string[]> {
  const response = await fetch(`${RESOLVER}?name=${encodeURIComponent(name)}&type=${type}`, {
    headers: { accept: "application/dns-json" },
    signal,
  });
  if (!response.ok) throw new ResolutionError(`the resolver answered ${response.status}`);
  const reply = Reply.safeParse(await response.json());
  if (!reply.success || !RESULT_CODES.has(reply.data.Status)) throw new ResolutionError("the resolver has no result");
  // The chain of CNAME records is part of the answer: their data is no address.
  return reply.data.Answer.filter((record) => record.type === RECORD_TYPES[type]).map(({ data }) => data);
}

/**
 * The IPv4 and IPv6 addresses of a host name; none if it does not exist.
 * @throws Error when the resolver does not respond within three seconds, or with something else than a result
 */
export async function resolveAddresses(name: string, signal: AbortSignal): Promise<readonly string[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  const found = await Promise.all([query(name, "A", limited), query(name, "AAAA", limited)]);
  const addresses = found.flat();
  if (addresses.length > MAX_ADDRESSES) throw new ResolutionError("the name has too many addresses");
  return addresses;
}
