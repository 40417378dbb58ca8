// `edgecare simulate` against a service with every kind of failure: every sample arrives, none is counted twice.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { retryDelay } from "../../cli/simulate/http.ts";
import { parseOptions } from "../../cli/simulate/options.ts";
import { runSimulation } from "../../cli/simulate/run.ts";
import { createSocketSender } from "../../cli/simulate/socket-sender.ts";
import { addLag, lagQuantile, newTally } from "../../cli/simulate/tally.ts";
import { installedNode, runInShell } from "./installed-node.ts";
import { type InjectedFault, OTHER, patientId, type Service, type ServiceBehaviour, startService } from "./simulate-service.ts";
import { findRequestFaults, findStandInFaults, standInExample } from "./stand-in.ts";

/** Each test has its own services, so that the tests of this file, which mostly wait, run concurrently. */
const it = test.extend<{ serve: (behaviour?: ServiceBehaviour) => Promise<Service> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern that the fixture needs no other.
  serve: async ({}, use) => {
    const services: Service[] = [];
    await use(async (behaviour = {}) => {
      const service = await startService(behaviour);
      services.push(service);
      return service;
    });
    for (const service of services) {
      await service.stop();
      expect([...service.faults]).toEqual([]);
    }
  },
});

function start(service: Service, args: string[] = []) {
  const options = parseOptions(["--url", service.url, ...args]);
  if (typeof options === "string") throw new Error(options);
  const stop = new AbortController();
  const abort = new AbortController();
  const lines: string[] = [];
  const printed = { progress: [] as string[], result: "" };
  const code = runSimulation(
    options,
    {
      logLine: (line) => lines.push(line),
      progress: (line) => printed.progress.push(line),
      result: (text) => {
        printed.result = text;
      },
    },
    { stop: stop.signal, abort: abort.signal },
  );
  return { code, lines, printed, stop: () => stop.abort(), abort: () => abort.abort() };
}

/** The figures of a summary by their labels. */
function figures(result: string): Record<string, number> {
  const words = [...result.matchAll(/(stored|duplicate|quarantined|rejected|acknowledged|unanswered|retried) (\d+)/g)];
  const [, rows, samples] = /^(\d+) rows, (\d+) samples/.exec(result) ?? [];
  return {
    ...Object.fromEntries(words.map(([, word = "", n]) => [word, Number(n)])),
    rows: Number(rows),
    samples: Number(samples),
  };
}

/** For each device: no gap in its sequence numbers, and each was stored once. */
function holes(service: Service): number {
  let missing = 0;
  for (const device of service.devices.keys()) {
    const numbers = [...service.taken.entries()]
      .filter(([key]) => key.startsWith(`${device} `))
      .map(([, { sample }]) => sample.seq);
    if (numbers.length > 0) missing += Math.max(...numbers) - Math.min(...numbers) + 1 - numbers.length;
  }
  return missing;
}

/**
 * The batches of each device fail in this order, at most twice in a row: failures over all devices together could by chance hit
 * one device so often that its waits outlast the run.
 */
const MISHAPS: InjectedFault[] = ["none", "503", "dropped-after", "none", "502-after", "dropped-before", "half-answered", "none"];
const inTurn = (batch: number): InjectedFault => MISHAPS[batch % MISHAPS.length] ?? "none";

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe.concurrent("a run", () => {
  it("has the documented defaults: 5 rows per second of 5 patients from number 1, without end", () => {
    expect(parseOptions([])).toMatchObject({ rate: 5, patients: 5, startId: 1, duration: 0, scenario: "stable" });
    expect(parseOptions([])).toMatchObject({ email: "nurse@demo.com", password: "password123" });
    expect(parseOptions([])).toMatchObject({ base: new URL("http://localhost:8787"), replay: null, socket: false });
  });

  it("sets up the monitors, sends rate × duration rows, prints their results, and revokes its keys", async ({ serve }) => {
    const service = await serve();
    const { code, printed, lines } = start(service, ["--rate", "20", "--patients", "4", "--duration", "3", "--start-id", "7"]);
    expect(await code).toBe(0);
    const { rows, samples = 0, stored, unanswered, duplicate } = figures(printed.result);
    expect({ rows, stored, unanswered, duplicate }).toEqual({ rows: 60, stored: samples, unanswered: 0, duplicate: 0 });
    expect(samples).toBeGreaterThanOrEqual(360);
    expect(service.taken.size).toBe(samples);
    expect(holes(service)).toBe(0);
    expect(new Set([...service.taken.values()].map(({ patient }) => patient))).toEqual(
      new Set([patientId(7), patientId(8), patientId(9), patientId(10)]),
    );
    expect(service.credentials.size).toBe(0);
    expect(printed.progress.length).toBeGreaterThanOrEqual(2);
    expect(printed.progress[0]).toMatch(/^0:0[1-3] {2}rows \d+ \(\d+\.0\/s\) .* waiting \d+ {2}retried 0 {2}lag \d+ ms$/);
    expect(lines).toEqual([`4 monitors at ${service.url}, from patient 7`]);
  });

  it("measures at even times, and sends when it was measured", async ({ serve }) => {
    const service = await serve();
    const before = Date.now();
    expect(await start(service, ["--rate", "20", "--patients", "2", "--duration", "2"]).code).toBe(0);
    const times = [...service.taken.values()].map(({ sample, receivedAt }) => [Date.parse(sample.effective_at), receivedAt]);
    const measured = [...new Set(times.map(([at = 0]) => at))].sort((a, b) => a - b);
    expect(measured).toHaveLength(40);
    expect(measured.slice(1).every((at, i) => at - (measured[i] ?? 0) === 50)).toBe(true);
    expect(measured[0]).toBeGreaterThanOrEqual(before);
    expect(times.every(([at = 0, received = 0]) => received >= at)).toBe(true);
  });

  it("finds its monitors again, keeps a correct assignment, and never reuses a number", async ({ serve }) => {
    const service = await serve();
    const again = ["--rate", "10", "--patients", "3", "--duration", "1"];
    expect(await start(service, again).code).toBe(0);
    const first = service.taken.size;
    service.requests.length = 0;
    const [stranger] = [...service.devices.values()].filter(({ serial }) => serial === "simulator-2");
    if (stranger) stranger.patient = patientId(99);
    const second = start(service, again);
    expect(await second.code).toBe(0);
    expect(figures(second.printed.result)["duplicate"]).toBe(0);
    expect(service.taken.size).toBe(first + (figures(second.printed.result)["samples"] ?? 0));
    expect(service.devices.size).toBe(4);
    expect(service.requests.filter((line) => line.endsWith("/assignments"))).toHaveLength(1);
    expect(stranger?.patient).toBe(patientId(2));
  });

  it("renews its login before it ends", async ({ serve }) => {
    const service = await serve({ tokenLife: 30 });
    expect(await start(service, ["--rate", "5", "--patients", "1", "--duration", "1"]).code).toBe(0);
    // A token lifetime of 30 s is always within the margin: it is refreshed before each request of the staff.
    expect(service.requests.filter((line) => line === "POST /auth/refresh").length).toBeGreaterThanOrEqual(4);
    expect(service.requests.filter((line) => line === "POST /auth/login")).toHaveLength(1);
  });

  it("applies a wrong clock to samples and sent_at alike, for the first patient only", async ({ serve }) => {
    const service = await serve();
    const args = ["--rate", "10", "--patients", "2", "--duration", "1", "--scenario", "clock-wrong", "--start-id", "2"];
    expect(await start(service, args).code).toBe(0);
    for (const { sample, patient, sentAt, receivedAt } of service.taken.values()) {
      const error = patient === patientId(2) ? -187 * 60_000 : 0;
      expect(Math.abs(Date.parse(sample.effective_at) - receivedAt - error)).toBeLessThan(5_000);
      expect(Math.abs(Date.parse(sentAt ?? "") - receivedAt - error)).toBeLessThan(5_000);
    }
  });
});

describe.concurrent("a service that fails", () => {
  it("503, lost replies, lost requests, half answers: every number arrives once", async ({ serve }) => {
    const service = await serve({ mishap: inTurn });
    const { code, printed } = start(service, ["--rate", "40", "--patients", "4", "--duration", "3"]);
    expect(await code).toBe(0);
    const { samples = 0, stored = 0, duplicate = 0, unanswered, retried, rejected } = figures(printed.result);
    expect({ unanswered, rejected }).toEqual({ unanswered: 0, rejected: 0 });
    expect(stored + duplicate).toBe(samples);
    expect(duplicate).toBeGreaterThan(0);
    expect(retried).toBeGreaterThan(3);
    expect(service.taken.size).toBe(samples);
    expect(holes(service)).toBe(0);
  });

  it("a sender that does not send again leaves holes, and the same count shows them", async ({ serve }) => {
    const service = await serve({ mishap: (batch) => (batch === 1 ? "400" : "none") });
    const { code, printed, stop } = start(service, ["--rate", "10", "--patients", "1"]);
    await until(() => service.batches > 2);
    stop();
    // 400 is the only status after which a batch is given up; the summary reports it.
    expect(await code).toBe(0);
    expect(holes(service)).toBeGreaterThan(0);
    expect(figures(printed.result)["rejected"]).toBe(holes(service));
    expect(printed.result).toMatch(/\d+ × rejected: the whole batch, 400/);
  });

  it("is down for a while: the monitors keep their samples and send all of them afterwards", async ({ serve }) => {
    const service = await serve();
    const { code, printed, lines } = start(service, ["--rate", "40", "--patients", "2", "--duration", "4"]);
    const isRetrying = () => lines.some((line) => /^patient \d: not delivered \(.+\); retrying$/.test(line));
    await until(() => service.batches > 1);
    await service.stop();
    await until(isRetrying);
    await service.start();
    expect(await code).toBe(0);
    const { samples, unanswered, rows } = figures(printed.result);
    expect({ rows, unanswered }).toEqual({ rows: 160, unanswered: 0 });
    expect(service.taken.size).toBe(samples);
    expect(holes(service)).toBe(0);
  });

  it("responds with 429: the simulator waits", async ({ serve }) => {
    const times: number[] = [];
    const service = await serve({
      mishap: (batch) => {
        times.push(Date.now());
        return batch === 0 ? "429" : "none";
      },
    });
    expect(await start(service, ["--rate", "5", "--patients", "1", "--duration", "1"]).code).toBe(0);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
    expect(holes(service)).toBe(0);
  });

  it("quarantines and rejects: counted with reasons, not sent again", async ({ serve }) => {
    const service = await serve({
      status: ({ code }) =>
        code === "8310-5"
          ? { status: "quarantined", reason: "unit_unknown" }
          : code === "8867-4"
            ? { status: "elsewhere", reason: "not_bound" }
            : { status: "stored" },
    });
    const { code, printed } = start(service, ["--rate", "10", "--patients", "1", "--duration", "1"]);
    expect(await code).toBe(0);
    expect(figures(printed.result)).toMatchObject({ quarantined: 10, rejected: 10, duplicate: 0, unanswered: 0, retried: 0 });
    expect(printed.result).toContain("10 × quarantined: 8310-5 unit_unknown");
    expect(printed.result).toContain("10 × elsewhere: 8867-4 not_bound");
  });

  it("revokes the credential: the run ends with an error", async ({ serve }) => {
    const service = await serve({ mishap: (batch) => (batch > 2 ? "gone" : "none") });
    const { code, printed, lines } = start(service, ["--rate", "10", "--patients", "1"]);
    expect(await code).toBe(1);
    expect(lines.at(-1)).toBe("patient 1: the service rejected the monitor (401)");
    const { samples = 0, stored = 0, unanswered } = figures(printed.result);
    expect(unanswered).toBe(samples - stored);
  });

  // A single stop would wait 15 s for the last responses.
  it("stays down: a second stop does not wait", { timeout: 10_000 }, async ({ serve }) => {
    const service = await serve({ mishap: () => "503" });
    const { code, printed, stop, abort } = start(service, ["--rate", "10", "--patients", "1"]);
    await until(() => service.batches > 0);
    stop();
    abort();
    expect(await code).toBe(0);
    const { samples, unanswered } = figures(printed.result);
    expect(unanswered).toBe(samples);
  });
});

describe.concurrent("sockets", () => {
  it("frames are kept until acknowledged: connections cut after they were taken lose nothing", async ({ serve }) => {
    const service = await serve({ cutAfterFrames: 15, ackEveryMs: 300 });
    const { code, printed, lines } = start(service, ["--socket", "--rate", "40", "--patients", "2", "--duration", "3"]);
    expect(await code).toBe(0);
    const { samples, acknowledged, unanswered, rows, retried = 0 } = figures(printed.result);
    expect({ rows, unanswered, acknowledged }).toEqual({ rows: 120, unanswered: 0, acknowledged: samples });
    expect(service.taken.size).toBe(samples);
    expect(holes(service)).toBe(0);
    expect(retried).toBeGreaterThanOrEqual(2);
    expect(lines.some((line) => line.includes("connection lost"))).toBe(true);
    expect(service.requests.some((line) => line.startsWith("POST /observations"))).toBe(false);
  });

  it("a restart: it connects again and sends what was not acknowledged", async ({ serve }) => {
    const service = await serve();
    const { code, printed } = start(service, ["--socket", "--rate", "20", "--patients", "2", "--duration", "4"]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await service.stop();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await service.start();
    expect(await code).toBe(0);
    expect(figures(printed.result)).toMatchObject({ rows: 80, unanswered: 0 });
    expect(service.taken.size).toBe(figures(printed.result)["samples"]);
    expect(holes(service)).toBe(0);
  });

  const createSender = (service: Service, token: string, ackTimeoutMs?: number) => {
    const tally = newTally();
    const abort = new AbortController();
    const said: string[] = [];
    const options = {
      base: new URL(service.url),
      token,
      clock: Date.now,
      tally,
      abort: abort.signal,
      logLine: (line: string) => said.push(line),
    };
    return { sender: createSocketSender(options, ackTimeoutMs), tally, said };
  };
  const sample = (seq: number) => ({ code: "8867-4", unit: "/min", value: 70, seq, at: Date.now(), measured: Date.now() });

  it("a silent peer: closed after a time without an acknowledgement", async ({ serve }) => {
    const service = await serve({ mute: (connection) => connection === 0 });
    service.credentials.set("key", OTHER);
    const { sender, tally, said } = createSender(service, "key", 600);
    sender.push([sample(1), sample(2)]);
    await until(() => sender.waitingCount() === 0);
    sender.close();
    expect([sender.waitingCount(), tally.acknowledged, tally.retried]).toEqual([0, 2, 1]);
    expect([...service.taken.keys()]).toEqual([`${OTHER} 1`, `${OTHER} 2`]);
    expect(said).toEqual(["connection lost (0); reconnecting"]);
  });

  it("refused samples: counted with their reason, not as acknowledged", async ({ serve }) => {
    const service = await serve({ refused: ({ code }) => (code === "8310-5" ? "unit_unknown" : null) });
    const { code, printed } = start(service, ["--socket", "--rate", "10", "--patients", "1", "--duration", "1"]);
    expect(await code).toBe(0);
    const { samples = 0, ...rest } = figures(printed.result);
    expect(rest).toMatchObject({ acknowledged: samples - 10, rejected: 10, unanswered: 0 });
    expect(printed.result).toContain("10 × refused: unit_unknown");
  });

  it("an unknown key: the run ends, though the socket gives no reason", async ({ serve }) => {
    const service = await serve();
    const { sender } = createSender(service, "ecd_unknown");
    sender.push([sample(1)]);
    await until(() => sender.failureReason() !== null);
    sender.close();
    expect([sender.failureReason(), sender.waitingCount()]).toEqual(["401", 1]);
  });
});

describe.concurrent("recordings", () => {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-simulate-"));
  const path = join(folder, "own.csv");
  const lines = Array.from(
    { length: 1_500 },
    (_, i) => `${new Date(i * 2_000).toISOString()},8867-4,${i % 7 === 0 ? 0 : 70},/min`,
  );
  writeFileSync(path, `effective_at,code,value,unit\n${lines.join("\n")}\n`);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("ends now, is sent at once to one patient, zeros and all", async ({ serve }) => {
    const service = await serve({ mishap: inTurn });
    const before = Date.now();
    expect(await start(service, ["--replay", path, "--start-id", "3"]).code).toBe(0);
    const taken = [...service.taken.values()];
    expect(taken).toHaveLength(1_500);
    expect(new Set(taken.map(({ patient }) => patient))).toEqual(new Set([patientId(3)]));
    const inOrder = taken.map(({ sample }) => sample).sort((a, b) => a.seq - b.seq);
    expect(inOrder.map(({ value }) => value)).toEqual(lines.map((line) => Number(line.split(",")[2])));
    const times = inOrder.map(({ effective_at }) => Date.parse(effective_at));
    expect(times.every((time, i) => i === 0 || time - (times[i - 1] ?? 0) === 2_000)).toBe(true);
    expect(Math.abs((times.at(-1) ?? 0) - before)).toBeLessThan(2_000);
  });

  it("has a monitor of its own, assigned before the first value, and takes it out of service", async ({ serve }) => {
    const service = await serve();
    const args = ["--replay", path, "--start-id", "3"];
    const first = Date.now() - 1_499 * 2_000;
    expect(await start(service, args).code).toBe(0);
    expect(await start(service, args).code).toBe(0);
    const own = [...service.devices.values()].filter(({ id }) => id !== OTHER);
    expect(own).toMatchObject([
      { serial: null, patient: patientId(3), isActive: false },
      { serial: null, patient: patientId(3), isActive: false },
    ]);
    for (const { startedAt } of own) expect(Date.parse(startedAt ?? "")).toBeLessThan(first);
    expect(service.taken.size).toBe(3_000);
    expect(service.credentials.size).toBe(0);
  });

  it("fails, and says why, if less than half of it was stored", async ({ serve }) => {
    const service = await serve({ status: () => ({ status: "quarantined", reason: "not_bound_then", message: "Quarantined" }) });
    const { code, printed, lines } = start(service, ["--replay", path]);
    expect(await code).toBe(1);
    expect(printed.result).toContain("1500 × quarantined: 8867-4 not_bound_then");
    expect(lines.at(-1)).toBe("only 0 of 1500 samples were stored; the reasons are above");
  });

  it("is refused before anything is registered if the service takes no samples of that age", async ({ serve }) => {
    const service = await serve();
    const long = join(folder, "long.csv");
    const month = new Date(31 * 86_400_000).toISOString();
    writeFileSync(long, `effective_at,code,value,unit\n1970-01-01T00:00:00Z,8867-4,70,/min\n${month},8867-4,70,/min\n`);
    await expect(start(service, ["--replay", long]).code).rejects.toThrow("long.csv is longer than 30 days");
    expect([...service.devices.keys()]).toEqual([OTHER]);
    expect(await start(service, ["--replay", long, "--speed", "1e10"]).code).toBe(0);
  });
});

describe("the stand-in", () => {
  it("is checked against the OpenAPI document: other shapes are found", () => {
    expect(findStandInFaults("GET", "/devices", 200, { data: [], pagination: { next_cursor: null } })).not.toEqual([]);
    expect(findStandInFaults("GET", "/devices", 200, standInExample("GET", "/devices", 200, []))).toEqual([]);
    expect(findRequestFaults("POST", "/devices", { kind: "bedside_monitor", name: "a", serial: "b" })).not.toEqual([]);
    expect(findRequestFaults("GET", "/gadgets", undefined)).toEqual(["GET /gadgets is not documented"]);
  });
});

describe("small parts", () => {
  it("waits with full jitter under a bound that doubles to ten seconds, after what the server asked for", () => {
    const most = [0, 1, 2, 3, 4, 5, 6, 7, 40].map((attempt) => retryDelay(attempt, null, () => 1));
    expect(most).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    expect(retryDelay(5, null, () => 0)).toBe(0);
    expect(retryDelay(0, 3_000, () => 0.5)).toBe(3_100);
  });

  it("knows the quantiles of lag within a tenth, in bounded memory", () => {
    const tally = newTally();
    for (let ms = 1; ms <= 10_000; ms++) addLag(tally.lag, ms);
    expect(lagQuantile(tally.lag, 0.5) / 5_000).toBeGreaterThan(0.9);
    expect(lagQuantile(tally.lag, 0.5) / 5_000).toBeLessThan(1.1);
    expect(lagQuantile(tally.lag, 1)).toBeLessThanOrEqual(10_000);
    expect(tally.lag.bins.length).toBeLessThan(110);
  });

  it.each([
    [["--rate", "0"], "--rate"],
    [["--rate", "fast"], "--rate"],
    [["--patients", "2.5"], "--patients"],
    [["--start-id", "0"], "--start-id"],
    [["--duration", "-1"], "--duration"],
    [["--url", "ftp://x"], "--url"],
    [["--scenario", "flu"], "--scenario"],
    [["--speed", "5"], "--speed"],
    [["--colour", "red"], "--colour"],
    [["extra"], "extra"],
  ])("%j is refused by name", (args, name) => {
    expect(parseOptions(args)).toEqual(expect.stringContaining(name));
  });
});

/** As an operator runs it. */
function command(args: string[]) {
  const script =
    'import("./cli/simulate.ts").then(async ({ runSimulate }) => { process.exitCode = await runSimulate(process.argv.slice(1)); })';
  const child = spawn("node", ["-e", script, "--", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, output })),
  );
  return { child, ended, output: () => output };
}

describe.concurrent("the command", () => {
  it.for<[string, string[]]>([
    ["requests", []],
    ["sockets", ["--socket"]],
  ])("Ctrl-C ends it with a summary and 0: %s", async ([, more], { serve }) => {
    const service = await serve();
    const { child, ended, output } = command(["--url", service.url, "--rate", "50", "--patients", "25", ...more]);
    while (!/0:0[2-9]/.test(output())) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    const { code, output: all } = await ended;
    expect({ code, all }).toMatchObject({ code: 0, all: expect.stringMatching(/^\d+ rows, \d+ samples in/m) });
    expect(all).toContain("unanswered 0");
    expect(all).not.toMatch(/warning|error/i);
    expect(holes(service)).toBe(0);
    expect(service.taken.size).toBe(Number(/(\d+) samples in/.exec(all)?.[1]));
  });

  it("ends with a summary on one Ctrl-C of a terminal, which reaches npx too", async ({ serve, skip }) => {
    skip(installedNode === "", "there is no Node beside the npm package");
    const service = await serve();
    const args = ["edgecare", "simulate", "--url", service.url, "--rate", "5", "--patients", "1"];
    const { stdout, stderr } = await runInShell("npx", args, /0:0\d {2}rows/);
    expect(stdout, stderr).toMatch(/^\d+ rows, \d+ samples in .*\n.*unanswered 0 /m);
    // A second Ctrl-C would leave it behind.
    expect(service.credentials.size).toBe(0);
  });

  it.for<[string[], number, string]>([
    [["--password", "wrong"], 1, "log in: 401 Invalid credentials"],
    [["--start-id", "101"], 1, "/patients/101: 404 Not found"],
    [["--replay", "nowhere.csv"], 1, "nowhere.csv cannot be read"],
    [["--rate", "none"], 2, "--scenario  scenario of the first patient"],
  ])("%j ends with %i and says why", async ([args, code, words], { serve }) => {
    const service = await serve();
    const { ended } = command(["--url", service.url, ...args]);
    expect(await ended).toEqual({ code, output: expect.stringContaining(words) });
  });
});
