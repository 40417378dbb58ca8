// The key under which requests of one network address count together.

/** The bucket of an IP address. IPv6 addresses share one per /64, the size of one customer's network. */
export function addressBucket(ip: string | null): string {
  if (!ip?.includes(":")) return ip ?? "none";
  const [head = "", tail] = ip.split("::");
  const leading = head.split(":").filter(Boolean);
  const trailing = tail?.split(":").filter(Boolean) ?? [];
  const groups =
    tail === undefined
      ? leading
      : [...leading, ...Array(Math.max(0, 8 - leading.length - trailing.length)).fill("0"), ...trailing];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
