// LOG_LEVEL: each level passes entries of at least its severity; lines have fixed keys, and DEBUG logs decisions, not data.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { log } from "../../src/platform/log.ts";
import { withStoreFault } from "../stores.ts";
import { captureLogs, createJwk, readSigningKeys } from "../token-forge.ts";
import { API, env, newPdf, newWorld, readJson, sendRequest, uploadReport, type World } from "../world.ts";

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
type Line = Record<string, unknown> & { levelname: string; message: string };

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** The lines that `work` logs at this LOG_LEVEL; undefined for an unset one. */
async function linesAt(level: string | undefined, work: (of: Env) => Promise<unknown>): Promise<Line[]> {
  const of: Env = { ...env, LOG_LEVEL: level ?? "" };
  if (level === undefined) Reflect.deleteProperty(of, "LOG_LEVEL");
  const logs = captureLogs();
  await work(of);
  const text = logs();
  vi.restoreAllMocks();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line)[0]);
}

const unknownPatient = `${API}/patients/0193a5b0-0000-7000-8000-00000000000a`;

/** One event per severity: a read, a rejection, a failing store and a missing secret. */
async function everything(of: Env): Promise<void> {
  expect((await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, env: of })).status).toBe(200);
  expect((await sendRequest(unknownPatient, { as: world.nurse, env: of })).status).toBe(404);
  expect((await sendRequest(`${API}/devices`, { as: world.nurse, env: withStoreFault(of, 1, "before", "DB").env })).status).toBe(
    503,
  );
  expect((await sendRequest(`${API}/devices`, { as: world.nurse, env: { ...of, LINK_KEY: "" } })).status).toBe(503);
}

const namesIn = (lines: Line[]) => LEVELS.filter((level) => lines.some(({ levelname }) => levelname === level));

describe("LOG_LEVEL", () => {
  it.each(LEVELS)("%s logs its own level and higher ones", async (level) => {
    expect(namesIn(await linesAt(level, everything))).toEqual(LEVELS.slice(LEVELS.indexOf(level)));
  });

  it("is read in any case, and with spaces around it", async () => {
    for (const level of ["debug", "Debug", " DEBUG "]) expect(namesIn(await linesAt(level, everything))).toEqual(LEVELS);
    expect(namesIn(await linesAt("warning", everything))).toEqual(LEVELS.slice(2));
  });

  it.each([undefined, "", "VERBOSE", "TRACE", "0", "INFO,DEBUG", "-1", "null"])("%j is INFO", async (level) => {
    expect(namesIn(await linesAt(level, everything))).toEqual(LEVELS.slice(1));
  });
});

describe("a line", () => {
  it("has asctime, name, levelname, message, pathname, lineno and colno, and the request's id", async () => {
    const id = "log-test-request-1";
    const headers = { "X-Request-Id": id };
    // Another test may have left a different ring in the cache.
    await sendRequest("/", { env });
    const lines = await linesAt("DEBUG", async (of) => {
      await sendRequest(unknownPatient, { as: world.nurse, env: of, headers });
    });
    const messages = lines.map(({ levelname, message }) => `${levelname} ${message}`);
    expect(messages).toEqual(["DEBUG access denied", "WARNING problem not_found", "INFO request"]);
    for (const line of lines) {
      expect(Object.keys(line).slice(0, 7)).toEqual(["asctime", "name", "levelname", "message", "pathname", "lineno", "colno"]);
      expect(line["asctime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(line["name"]).toBe("edgecare");
      expect(line["request_id"]).toBe(id);
      expect(Number(line["lineno"])).toBeGreaterThan(0);
      expect(Number(line["colno"])).toBeGreaterThan(0);
    }
    expect(lines.map((line) => line["pathname"])).toEqual([
      "src/access/deny.ts",
      "src/http/on-error.ts",
      "src/http/request-middleware.ts",
    ]);
  });

  it("of an error names the position where it was thrown", async () => {
    const lines = await linesAt("ERROR", (of) =>
      sendRequest(`${API}/devices`, { as: world.nurse, env: withStoreFault(of, 1, "before", "DB").env }),
    );
    expect(lines).toMatchObject([{ message: "problem unavailable", at: expect.stringContaining("/src/") }]);
    expect(lines[0]?.["pathname"]).toMatch(/^src\/(?!errors)/);
    expect(lines[0]?.["at"]).toContain(`${lines[0]?.["pathname"]}:${lines[0]?.["lineno"]}:`);
  });

  it("of a level that requests can cause reads the stack once per message", () => {
    const logs = captureLogs();
    const { prepareStackTrace } = Error;
    let stacks = 0;
    Error.prepareStackTrace = (error, frames) => {
      stacks++;
      return [String(error), ...frames.map((frame) => `    at ${frame}`)].join("\n");
    };
    const readBy = (write: () => void) => {
      stacks = 0;
      write();
      return stacks;
    };
    const write = (level: "INFO" | "WARNING" | "ERROR") => log({}, level, `a message of a test, ${level}`);
    try {
      expect([1, 2, 3].map(() => readBy(() => write("INFO")))).toEqual([1, 0, 0]);
      expect([1, 2, 3].map(() => readBy(() => write("WARNING")))).toEqual([1, 0, 0]);
      expect([1, 2, 3].map(() => readBy(() => write("ERROR")))).toEqual([1, 1, 1]);
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
    expect(logs().split("\n")).toHaveLength(9);
  });

  it("of level DEBUG has the access decision with its action and basis", async () => {
    const lines = await linesAt("DEBUG", async (of) => {
      await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.doctor, env: of });
      await sendRequest(`${API}/patients/${world.stranger.id}`, { as: world.doctor, env: of });
      await sendRequest(`${API}/admin/stats`, { as: world.nurse, env: of });
      await sendRequest(`${API}/devices`, { as: world.nurse, env: of });
    });
    const decisions = lines
      .filter(({ message }) => message.startsWith("access"))
      .map(({ message, action, basis, role, reason }) => ({ message, action, basis, role, reason }));
    expect(decisions).toMatchObject([
      { message: "access granted", action: "patient:read", basis: "care_team", role: "doctor" },
      { message: "access denied", action: "patient:read", reason: "not_found", role: "doctor" },
      { message: "access denied", action: "admin:read", reason: "forbidden", role: "nurse" },
      { message: "access granted", action: "device:read", role: "nurse" },
    ]);
  });

  it("of level DEBUG names the key that signs when a ring is loaded", async () => {
    const ring = [await createJwk("next"), ...readSigningKeys()];
    const lines = await linesAt("DEBUG", (of) =>
      sendRequest("/.well-known/jwks.json", { env: { ...of, JWT_KEYS: JSON.stringify(ring) } }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ message: "keys loaded", kid: "next", count: 2 }));
    for (const { d } of ring) expect(JSON.stringify(lines)).not.toContain(d);
  });

  it("contains no user text at any level", async () => {
    const { patient, nurse, doctor } = world;
    const lines = await linesAt("DEBUG", async (of) => {
      await everything(of);
      await sendRequest(`${API}/patients?q=${patient.canary}`, { as: nurse, env: of });
      await sendRequest(`${API}/patients/${patient.canary}`, { as: nurse, env: of });
      await sendRequest(`${API}/auth/login`, { json: { email: doctor.email, password: "a wrong password of mine" }, env: of });
      const sent = await uploadReport(
        nurse,
        newPdf(patient.canary),
        { patient_id: patient.id, fileName: `${patient.canary}.pdf` },
        { env: of },
      );
      const report = await readJson(
        await sendRequest(`${API}/reports/${(await readJson(sent)).data.report_id}`, { as: nurse, env: of }),
      );
      await sendRequest(report.data.download_url, { env: of });
    });
    expect(lines.length).toBeGreaterThan(15);
    const text = JSON.stringify(lines);
    const words = [patient.canary, doctor.email, doctor.username, "wrong password", nurse.token, nurse.refresh, "First-", "sig="];
    for (const word of words) expect(text).not.toContain(word);
    expect(text).not.toMatch(/Bearer|eyJ|@example\.org|\?/);
  });
});
