// URLs that the service may send requests to: each spelling of an internal address is refused, public ones pass.
import { describe, expect, it } from "vitest";
import {
  assertSafeUrl,
  isPublicAddress,
  MAX_URL_LENGTH,
  REFUSED_RANGES,
  UnsafeUrlError,
} from "../../src/platform/safe-addresses.ts";

const { signal } = new AbortController();
const NO_ORIGINS: ReadonlySet<string> = new Set();
const PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"];
const resolveTo = (addresses: readonly string[]) => async () => addresses;

const faultOf = (url: string, addresses: readonly string[] = PUBLIC, origins = NO_ORIGINS) =>
  assertSafeUrl(url, origins, signal, resolveTo(addresses)).then(
    () => null,
    (error: unknown) => {
      if (error instanceof UnsafeUrlError) return error.fault;
      throw error;
    },
  );

const REFUSED_HOSTS: Record<string, readonly string[]> = {
  address: [
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "017700000001",
    "0177.0.0.1",
    "127.0.1",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "0xa000001",
    "100.64.0.1",
    "100.100.100.200",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "3232235777",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "192.0.0.192",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:93.184.215.14]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[5f00::1]",
    "[2606:4700::5efe:7f00:1]",
    "[2606:4700::200:5efe:a00:1]",
  ],
  name: [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "localhost.localdomain",
    "printer",
    "printer.local",
    "db.internal",
    "metadata.google.internal",
    "router.lan",
    "nas.home",
    "nas.home.arpa",
    "his.corp",
    "his.intranet",
    "x.test",
    "x.invalid",
    "x.example",
    "abc.onion",
    "1.0.0.127.in-addr.arpa",
    "his.example.org.",
    "ｌｏｃａｌｈｏｓｔ",
    "a..example.org",
    `${"a".repeat(64)}.example.org`,
    `${"a.".repeat(130)}org`,
  ],
};

describe("URLs of webhooks", () => {
  it.each(Object.entries(REFUSED_HOSTS).flatMap(([fault, hosts]) => hosts.map((host) => [host, fault] as const)))(
    "refuses the host %s",
    async (host, fault) => {
      expect(["invalid", fault]).toContain(await faultOf(`https://${host}/hook`));
    },
  );

  it.each([
    ["http://his.example.org/", "scheme"],
    ["ftp://his.example.org/", "scheme"],
    ["javascript:alert(1)", "scheme"],
    ["file:///etc/passwd", "scheme"],
    ["https://user@his.example.org/", "credentials"],
    ["https://user:password@his.example.org/", "credentials"],
    ["https://his.example.org:22/", "port"],
    ["https://his.example.org:80/", "port"],
    ["https://his.example.org:6379/", "port"],
    ["https://his.example.org:0/", "port"],
    ["https://his.example.org:99999/", "invalid"],
    ["//his.example.org/", "invalid"],
    ["his.example.org", "invalid"],
    ["https://", "invalid"],
    ["https://[fe80::1%25eth0]/", "invalid"],
    [`https://his.example.org/${"a".repeat(MAX_URL_LENGTH)}`, "invalid"],
  ])("refuses %s", async (url, fault) => expect(await faultOf(url)).toBe(fault));

  it.each([
    "https://his.example.org/hook",
    "https://his.example.org:443/",
    "https://his.example.org:8443/a?b=c",
    "https://93.184.215.14/",
    "https://[2606:4700:4700::1111]/",
    "https://xn--bcher-kva.example.org/",
  ])("accepts %s", async (url) => expect(await faultOf(url)).toBeNull());

  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "::1",
    "::ffff:10.0.0.1",
    "fd00:ec2::254",
    "fe80::1",
    "2002:a00:1::",
    "not an address",
    "",
  ])("refuses a name with the address %s beside a public one", async (address) =>
    expect(await faultOf("https://his.example.org/", [...PUBLIC, address])).toBe("address"),
  );

  it("refuses a name without an address", async () => expect(await faultOf("https://his.example.org/", [])).toBe("unresolved"));

  it("refuses a name that resolves to a public address first and to a private one later", async () => {
    const answers = [PUBLIC, ["127.0.0.1"]];
    const check = () => assertSafeUrl("https://rebinding.example.org/", NO_ORIGINS, signal, async () => answers.shift() ?? []);
    await expect(check()).resolves.toBeInstanceOf(URL);
    await expect(check()).rejects.toMatchObject({ fault: "address" });
  });

  it("accepts origins of tests exactly as they are listed", async () => {
    const origins = new Set(["http://127.0.0.1:9999"]);
    expect(await faultOf("http://127.0.0.1:9999/hook", [], origins)).toBeNull();
    expect(await faultOf("http://127.0.0.1:9998/hook", [], origins)).toBe("scheme");
    expect(await faultOf("https://127.0.0.1:9999/hook", [], origins)).toBe("port");
    expect(await faultOf("http://127.0.0.1:9999@evil.example.org/", [], origins)).toBe("scheme");
  });

  it("drops the fragment", async () => {
    const url = await assertSafeUrl("https://his.example.org/hook#part", NO_ORIGINS, signal, resolveTo(PUBLIC));
    expect(url.href).toBe("https://his.example.org/hook");
  });
});

describe("refused ranges", () => {
  it.each(REFUSED_RANGES)("%s (%s) has no public address", (range) => {
    const [first = ""] = range.split("/");
    expect(isPublicAddress(first)).toBe(false);
  });

  it.each([
    ["9.255.255.255", "11.0.0.0"],
    ["100.63.255.255", "100.128.0.0"],
    ["126.255.255.255", "128.0.0.0"],
    ["169.253.255.255", "169.255.0.0"],
    ["172.15.255.255", "172.32.0.0"],
    ["192.167.255.255", "192.169.0.0"],
    ["198.17.255.255", "198.20.0.0"],
    ["223.255.255.255", "1.0.0.0"],
    ["2001:200::", "2003::"],
    ["2000::", "2606:4700::1"],
  ])("neighbours %s and %s are public", (before, after) => {
    expect([isPublicAddress(before), isPublicAddress(after)]).toEqual([true, true]);
  });
});
