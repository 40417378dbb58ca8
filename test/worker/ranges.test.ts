// Downloads by Range: the right bytes or 416 for any header; tampered stored bytes are never delivered.
import { beforeAll, describe, expect, it } from "vitest";
import { parseRange } from "../../src/http/file-response.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newWorld,
  readJson,
  sendRequest,
  sha256,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";

const SEGMENT = 65_536;
const SIZE = 3 * SEGMENT + 1000;
const pdf = newPdf("range", SIZE);
pdf.set(crypto.getRandomValues(new Uint8Array(60_000)), SEGMENT - 1000);

let world: World;
let path: string;
beforeAll(async () => {
  world = await newWorld();
  const { data } = await readJson(await uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`));
  path = `${API}/reports/${data.report_id}/file`;
});

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const get = (range: string) => sendRequest(path, { as: world.doctor, headers: { Range: range } });

describe("Range", () => {
  it.each([
    ["bytes=0-", 0, SIZE - 1],
    ["bytes=-1", SIZE - 1, SIZE - 1],
    ["bytes=-999999999", 0, SIZE - 1],
    [`bytes=0-${SEGMENT - 1}`, 0, SEGMENT - 1],
    [`bytes=${SEGMENT}-${SEGMENT}`, SEGMENT, SEGMENT],
    [`bytes=${SEGMENT - 1}-${2 * SEGMENT}`, SEGMENT - 1, 2 * SEGMENT],
    [`bytes=${SIZE - 1}-`, SIZE - 1, SIZE - 1],
    ["bytes=5-999999999999999", 5, SIZE - 1],
    [" bytes=7-9 ", 7, 9],
  ])("%s gives just those bytes", async (range, from, to) => {
    const response = await get(range);
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to}/${SIZE}`);
    expect(Number(response.headers.get("content-length"))).toBe(to - from + 1);
    expect((await bytesOf(response)).equals(Buffer.from(pdf.subarray(from, to + 1)))).toBe(true);
  });

  it.each(["bytes=5-2", "bytes=-0", `bytes=${SIZE}-`, `bytes=${SIZE}-${SIZE + 5}`, "bytes=999999999999999-"])(
    "%s is not satisfiable",
    async (range) => {
      const response = await get(range);
      expect(response.status).toBe(416);
      expect(response.headers.get("content-range")).toBe(`bytes */${SIZE}`);
      expect((await readJson(response)).code).toBe("range_not_satisfiable");
    },
  );

  it.each([
    "bytes=0-0,2-2",
    "bytes=-",
    "bytes=a-b",
    "items=0-5",
    "bytes=1e18-",
    "bytes=0x0-0x5",
    "bytes=0-5;",
    "bytes",
    "bytes=1000000000000000000-",
  ])("%s is ignored: the whole file", async (range) => {
    const response = await get(range);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-range")).toBeNull();
    expect(await sha256(new Uint8Array(await response.arrayBuffer()))).toBe(await sha256(pdf));
  });

  it("counts only for the file that If-Range names", async () => {
    const whole = await sendRequest(path, { as: world.doctor });
    const etag = whole.headers.get("etag") ?? "";
    await whole.body?.cancel();
    expect(etag).toBe(`"${await sha256(pdf)}"`);
    const upload = await uploadRaw(await newDevice(world.nurse, null), pdf, "");
    const quarantined = `${API}/uploads/${(await readJson(upload)).data.upload_id}/file`;
    for (const file of [path, quarantined]) {
      const getIf = (ifRange: string, range = "bytes=5-9") =>
        sendRequest(file, { as: file === path ? world.doctor : world.nurse, headers: { Range: range, "If-Range": ifRange } });
      const matching = await getIf(etag);
      expect(matching.status).toBe(206);
      expect(String(await bytesOf(matching))).toBe(Buffer.from(pdf.subarray(5, 10)).toString());
      for (const other of ['"other"', `W/${etag}`, etag.slice(1, -1), "Mon, 30 Nov 2026 00:00:00 GMT", `${etag}, "b"`, "*", ""]) {
        for (const range of ["bytes=5-9", `bytes=${SIZE}-`]) {
          const response = await getIf(other, range);
          expect(response.status, other).toBe(200);
          expect(response.headers.get("content-range")).toBeNull();
          expect(Number(response.headers.get("content-length"))).toBe(SIZE);
          await response.body?.cancel();
        }
      }
    }
  });

  it("is ignored for HEAD", async () => {
    const head = await sendRequest(path, { as: world.doctor, method: "HEAD", headers: { Range: "bytes=0-4" } });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get("content-length"))).toBe(SIZE);
  });

  it("of two hundred parts is ignored", async () => {
    const response = await get(`bytes=${Array.from({ length: 200 }, (_, i) => `${i}-${i}`).join(",")}`);
    expect([200, 206, 400, 416]).toContain(response.status);
    await response.body?.cancel();
  });

  it("is the same for any place and length (200 random ones)", async () => {
    for (let i = 0; i < 200; i++) {
      const from = Math.floor(Math.random() * SIZE);
      const to = Math.min(SIZE - 1, from + Math.floor(Math.random() * (i % 2 ? 100 : SIZE)));
      const range = parseRange(`bytes=${from}-${to}`, SIZE);
      expect(range).toEqual({ start: from, end: to });
      if (i % 10 > 0) continue;
      const got = await bytesOf(await get(`bytes=${from}-${to}`));
      expect(got.equals(Buffer.from(pdf.subarray(from, to + 1))), `${from}-${to}`).toBe(true);
    }
  });

  it("works through a signed link", async () => {
    const { data } = await readJson(await sendRequest(path.replace("/file", ""), { as: world.doctor }));
    const response = await sendRequest(data.download_url, { headers: { Range: "bytes=0-4" } });
    expect(response.status).toBe(206);
    expect(String(await bytesOf(response))).toBe("%PDF-");
  });

  it("stops a reader who goes away without a trace of failure", async () => {
    const response = await get("bytes=0-");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await get("bytes=0-0")).status).toBe(206);
  });
});

describe("a stored file that was changed", () => {
  type Change = (bytes: Uint8Array<ArrayBuffer>, other: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  const flip = (at: number) => (bytes: Uint8Array<ArrayBuffer>) => {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
  const swapSegments: Change = (bytes) => {
    const [a, b] = [bytes.slice(0, SEGMENT + 16), bytes.slice(SEGMENT + 16, 2 * (SEGMENT + 16))];
    const changed = bytes.slice();
    changed.set(b, 0);
    changed.set(a, SEGMENT + 16);
    return changed;
  };

  it.each<[string, Change]>([
    ["a bit of the first segment", flip(100)],
    ["a bit of a later segment", flip(SEGMENT + 500)],
    ["a bit of the last tag", (bytes) => flip(bytes.length - 1)(bytes)],
    ["the last byte cut off", (bytes) => bytes.slice(0, -1)],
    ["the last segment cut off", (bytes) => bytes.slice(0, 3 * (SEGMENT + 16))],
    ["a byte added", (bytes) => new Uint8Array([...bytes, 0])],
    ["two segments swapped", swapSegments],
    ["another report's object of the same size", (_, other) => other],
    ["all but ten bytes cut off", (bytes) => bytes.slice(0, 10)],
  ])("%s: never served as good", async (_, change) => {
    const mine = pdf.slice();
    mine.set(crypto.getRandomValues(new Uint8Array(16)), SEGMENT);
    const ids = [];
    for (const bytes of [mine, newPdf("other", SIZE)]) {
      ids.push((await readJson(await uploadReport(world.nurse, bytes, { patient_id: world.patient.id }))).data.report_id);
    }
    const [key, otherKey] = await Promise.all(
      ids.map(async (id) =>
        String((await env.DB.prepare("SELECT file_key FROM reports WHERE id = ?").bind(id).first())?.["file_key"]),
      ),
    );
    const stored = async (name = "") => new Uint8Array((await (await env.FILES.get(name))?.arrayBuffer()) ?? new ArrayBuffer());
    await env.FILES.put(key ?? "", change(await stored(key), await stored(otherKey)));
    const response = await sendRequest(`${API}/reports/${ids[0]}/file`, { as: world.doctor });
    // Either the response itself is an error, or its body ends before the changed byte.
    if (response.status === 200) {
      const reader = response.body?.getReader();
      let got = 0;
      const drain = async () => {
        for (;;) {
          const next = await reader?.read();
          if (!next || next.done) return;
          got += next.value.length;
        }
      };
      await expect(drain()).rejects.toThrow();
      expect(got).toBeLessThan(SIZE);
    } else {
      expect([500, 503]).toContain(response.status);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
    expect((await sendRequest(`${API}/reports/${ids[1]}/file`, { as: world.doctor })).status).toBe(200);
  });
});
