// `edgecare erasures` against a server that keeps certificates and erases one restored record per request.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

const PAGE = 2;

const newCertificate = (i: number) => ({
  erasure_id: randomUUID(),
  erased_at: new Date(Date.UTC(2026, 10, 1) + i).toISOString(),
  signed_text: `text ${i}`,
  signature: { algorithm: "Ed25519", key_id: "a1", public_key: "key", value: `signature ${i}` },
});
type Certificate = ReturnType<typeof newCertificate>;

let certificates: Certificate[];
/** Texts of certificates whose patient is back. */
let restored: Set<string>;
/** No erasure ends. */
let isStuck: boolean;
let posted: { signed_text: string; key_id: string; signature: string }[][];
let folder: string;
let server: Server;
let url: string;

const toPlace = ({ erased_at, erasure_id }: { erased_at: string | null; erasure_id: string | null }) =>
  `${erased_at} ${erasure_id}`;

function listAfter({ searchParams }: URL) {
  const after = searchParams.has("after_id")
    ? toPlace({ erased_at: searchParams.get("erased_after"), erasure_id: searchParams.get("after_id") })
    : "";
  const rest = certificates
    .filter((certificate) => toPlace(certificate) > after)
    .sort((a, b) => (toPlace(a) < toPlace(b) ? -1 : 1));
  return { certificates: rest.slice(0, PAGE), has_more: rest.length > PAGE };
}

function applyAll(body: string) {
  const { certificates: some } = JSON.parse(body);
  posted.push(some);
  const toState = (signed: string) =>
    restored.has(signed) ? "erasing" : certificates.some(({ signed_text }) => signed_text === signed) ? "absent" : "refused";
  const erasures = some.map(({ signed_text }: { signed_text: string }) => ({ erasure_id: null, state: toState(signed_text) }));
  const [next] = restored;
  if (next && !isStuck) restored.delete(next);
  return { erasures };
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const address = new URL(request.url ?? "", "http://localhost");
    const data = request.method === "POST" ? applyAll(await text(request)) : listAfter(address);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ data }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  certificates = Array.from({ length: 5 }, (_, i) => newCertificate(i));
  restored = new Set();
  posted = [];
  isStuck = false;
  folder = mkdtempSync(join(tmpdir(), "erasures-"));
});

const cli = (args: string[]): Promise<{ status: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const options = { env: { ...process.env, EDGECARE_TOKEN: "a-token" } };
    execFile("node", ["cli/edgecare.ts", "erasures", ...args, "--url", url], options, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
const savedIn = (file: string) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

it("saves each certificate once, also when it goes on later", async () => {
  const file = join(folder, "erasures.jsonl");
  expect(await cli(["save", file])).toEqual({ status: 0, stdout: `5 certificates added to ${file}\n`, stderr: "" });
  certificates.push(newCertificate(5));
  expect((await cli(["save", file])).stdout).toBe(`1 certificates added to ${file}\n`);
  expect(savedIn(file)).toEqual(certificates);
});

it("saves a certificate that is listed after a later one", async () => {
  const file = join(folder, "erasures.jsonl");
  await cli(["save", file]);
  const late = newCertificate(-30 * 60_000);
  certificates.push(late);
  expect((await cli(["save", file])).stdout).toBe(`1 certificates added to ${file}\n`);
  expect(savedIn(file).at(-1)).toEqual(late);
  // The same erasure after a restore: another certificate.
  const again = { ...late, erased_at: newCertificate(60_000).erased_at };
  certificates.push(again);
  expect((await cli(["save", file])).stdout).toBe(`1 certificates added to ${file}\n`);
  expect((await cli(["save", file])).stdout).toBe(`0 certificates added to ${file}\n`);
  expect(savedIn(file)).toEqual(certificates);
});

it("leaves out a last line that was not written to its end, and writes it again", async () => {
  const file = join(folder, "erasures.jsonl");
  await cli(["save", file]);
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.slice(0, -20));
  restored = new Set(["text 4"]);
  expect((await cli(["apply", file, "--no-wait"])).stdout).toBe("4 certificates: 0 to erase again, 0 refused\n");
  expect((await cli(["save", file])).stdout).toBe(`1 certificates added to ${file}\n`);
  expect(readFileSync(file, "utf8")).toBe(whole);
});

it("keeps a certificate whose line has no end", async () => {
  const file = join(folder, "erasures.jsonl");
  await cli(["save", file]);
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.slice(0, -1));
  expect((await cli(["apply", file])).stdout).toBe("5 certificates: 0 to erase again, 0 refused\n");
  expect((await cli(["save", file])).stdout).toBe(`0 certificates added to ${file}\n`);
  expect(readFileSync(file, "utf8")).toBe(whole);
});

it("gives up when no erasure ends, and names them", async () => {
  const file = join(folder, "erasures.jsonl");
  await cli(["save", file]);
  restored = new Set(["text 1"]);
  isStuck = true;
  const { status, stdout, stderr } = await cli(["apply", file, "--polls", "2"]);
  expect([status, stdout]).toEqual([1, "5 certificates: 1 to erase again, 0 refused\n1 left\n1 left\n"]);
  expect(stderr).toContain(`Erasures that have not ended:\n${certificates[1]?.erasure_id}\n`);
  expect((await cli(["save", file, "--polls", "2"])).status).toBe(2);
  expect((await cli(["apply", file, "--polls", "0"])).status).toBe(2);
});

it("applies all, and asks again until nothing is left to erase", async () => {
  const file = join(folder, "erasures.jsonl");
  certificates = Array.from({ length: 25 }, (_, i) => newCertificate(i));
  writeFileSync(file, certificates.map((certificate) => `${JSON.stringify(certificate)}\n`).join(""));
  restored = new Set(["text 3", "text 7"]);
  expect(await cli(["apply", file])).toEqual({
    status: 0,
    stdout: "25 certificates: 2 to erase again, 0 refused\n0 left\n",
    stderr: "",
  });
  expect(posted.map((some) => some.length)).toEqual([20, 5, 2]);
  expect(posted[0]?.[0]).toEqual({ signed_text: "text 0", key_id: "a1", signature: "signature 0" });
});

it("does not wait with --no-wait, and fails if the service refuses a certificate", async () => {
  const file = join(folder, "erasures.jsonl");
  const foreign = newCertificate(99);
  writeFileSync(file, [...certificates, foreign].map((certificate) => `${JSON.stringify(certificate)}\n`).join(""));
  restored = new Set(["text 1"]);
  const { status, stdout, stderr } = await cli(["apply", file, "--no-wait"]);
  expect([status, stdout]).toEqual([1, "6 certificates: 1 to erase again, 1 refused\n"]);
  expect(stderr).toContain("Refused certificates are of another deployment");
});

it("names the line that is no certificate, and sends nothing", async () => {
  const file = join(folder, "erasures.jsonl");
  writeFileSync(file, `${JSON.stringify(certificates[0])}\n{"erasure_id"\n`);
  expect(await cli(["apply", file])).toMatchObject({ status: 1, stderr: `Line 2 of ${file} is no certificate.\n` });
  expect(posted).toEqual([]);
  expect((await cli(["apply"])).status).toBe(2);
  expect((await cli(["apply", join(folder, "none")])).stderr).toContain("has no certificates");
});
