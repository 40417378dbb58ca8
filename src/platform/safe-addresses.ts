// Which addresses the service may send requests to: public ones only, so that a URL that somebody enters opens no internal service.
import ipaddr from "ipaddr.js";
import { resolveAddresses } from "./name-resolution.ts";

export const MAX_URL_LENGTH = 2000;

/** Ports of HTTPS services. Others lead to services that are not meant for the public. */
const ALLOWED_PORTS: ReadonlySet<string> = new Set(["", "8443"]);

/**
 * Ranges that are not public, with the reason. Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and updates);
 * the last entries are metadata services of clouds.
 */
export const REFUSED_RANGES: readonly (readonly [range: string, reason: string])[] = [
  ["0.0.0.0/8", "unspecified"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "carrier-grade NAT"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "protocol assignments"],
  ["192.0.2.0/24", "documentation"],
  ["192.31.196.0/24", "AS112"],
  ["192.52.193.0/24", "multicast tunnels"],
  ["192.88.99.0/24", "6to4 relay"],
  ["192.168.0.0/16", "private"],
  ["192.175.48.0/24", "AS112"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["2001::/23", "protocol assignments, Teredo among them"],
  ["2001:db8::/32", "documentation"],
  ["2002::/16", "6to4, which contains an IPv4 address"],
  ["2620:4f:8000::/48", "AS112"],
  ["3fff::/20", "documentation"],
  ["168.63.129.16/32", "metadata"],
  ["fd00:ec2::254/128", "metadata"],
];
const REFUSED_NETWORKS = REFUSED_RANGES.map(([range]) => ipaddr.parseCIDR(range));

/**
 * The only part of IPv6 with public addresses. Outside are loopback, link-local, unique local, multicast, and every form that contains
 * an IPv4 address: mapped (prefix ::ffff:0:0 of 96 bits), compatible (:: of 96), NAT64 (64:ff9b:: of 96, 64:ff9b:1:: of 48).
 */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/** Interface identifiers of ISATAP (RFC 5214) contain an IPv4 address: 0:5efe or 200:5efe, then four bytes. */
const isIsatap = ({ parts }: ipaddr.IPv6) => ((parts[4] ?? 0) & ~0x200) === 0 && parts[5] === 0x5efe;

/** Whether the text is an IP address that anybody on the internet can have. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv6 && (!address.match(GLOBAL_UNICAST) || isIsatap(address))) return false;
  return !REFUSED_NETWORKS.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

/** Top-level names that never are public. Source: RFC 6761, 6762, 7686, 8375, 9476, ICANN's `internal`, and names of home routers. */
const REFUSED_NAMES =
  /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|test|invalid|example|onion|alt|arpa)$/;
const NAME_PATTERN = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

export type UrlFault = "invalid" | "scheme" | "credentials" | "port" | "name" | "address" | "unresolved";

const MESSAGES: Record<UrlFault, string> = {
  invalid: "Must be an absolute URL",
  scheme: "Must start with https://",
  credentials: "Must not contain a user name or password",
  port: "The port must be 443 or 8443",
  name: "Must have a public host name",
  address: "The host must have public addresses only",
  unresolved: "The host name has no address",
};

export class UnsafeUrlError extends Error {
  override name = "UnsafeUrlError";
  readonly fault: UrlFault;

  constructor(fault: UrlFault) {
    super(MESSAGES[fault]);
    this.fault = fault;
  }
}

const isAddress = (host: string) => host.startsWith("[") || ipaddr.IPv4.isValid(host);

/** What is wrong with the URL as it is written. The URL parser has turned decimal, octal and hexadecimal hosts into dotted ones. */
function findFault(url: URL): UrlFault | null {
  const { protocol, username, password, port, hostname } = url;
  if (protocol !== "https:") return "scheme";
  if (username !== "" || password !== "") return "credentials";
  if (!ALLOWED_PORTS.has(port)) return "port";
  if (isAddress(hostname)) return isPublicAddress(hostname.replace(/^\[|\]$/g, "")) ? null : "address";
  return NAME_PATTERN.test(hostname) && !REFUSED_NAMES.test(hostname) ? null : "name";
}

export type ResolveAddresses = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Checks a URL before it is stored, and again before each request to it. A host name must resolve, and to public addresses only.
 * The request resolves the name once more: docs/security.md says what remains possible in between.
 * @param allowedOrigins origins that pass unchecked (config.ts, `getTestOrigins`)
 * @returns the parsed URL without its fragment
 * @throws UnsafeUrlError; whatever `resolve` throws, when no answer came
 */
export async function assertSafeUrl(
  text: string,
  allowedOrigins: ReadonlySet<string>,
  signal: AbortSignal,
  resolve: ResolveAddresses = resolveAddresses,
): Promise<URL> {
  const url = text.length > MAX_URL_LENGTH ? null : URL.parse(text);
  if (!url) throw new UnsafeUrlError("invalid");
  url.hash = "";
  if (allowedOrigins.has(url.origin)) return url;
  const fault = findFault(url);
  if (fault) throw new UnsafeUrlError(fault);
  if (isAddress(url.hostname)) return url;
  const addresses = await resolve(url.hostname, signal);
  if (addresses.length === 0) throw new UnsafeUrlError("unresolved");
  if (!addresses.every(isPublicAddress)) throw new UnsafeUrlError("address");
  return url;
}
