// The deployed bundle: its size, no tests, seeds or demo people in it, and log lines that name source positions.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startBench } from "../../bench/server.ts";
import { DEMO_PASSWORD, FIRST_HOSPITAL, STAFF } from "../../cli/demo/people.ts";
import { buildRender, RENDER_BUNDLE } from "../../scripts/build-render.mjs";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import { withSourcePositions } from "../../scripts/lib/log-lines.mjs";

const Login = z.object({ data: z.object({ access_token: z.string() }) });

/** The fields of a logged object, which workerd prints as Node's inspect does, one per line. */
const readFields = (printed: string): Record<string, string> =>
  Object.fromEntries([...printed.matchAll(/^ {2}(\w+): '?(.*?)'?,?$/gm)].map(([, name, value]) => [name, value]));

const Profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

const out = mkdtempSync(join(tmpdir(), "edgecare-bundle-"));
let bundle = "";

beforeAll(() => {
  execFileSync("wrangler", ["deploy", "--dry-run", "--outdir", out], { env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });
  bundle = readFileSync(join(out, "index.js"), "utf8");
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("the production bundle", () => {
  it("is at most 1 MB gzipped", () => {
    expect(bundle.length).toBeGreaterThan(100_000);
    expect(gzipSync(bundle).length).toBeLessThan(1_048_576);
  });

  it("contains no demo person, no test hook and no development secret", () => {
    const words = [
      // As a literal: the list of breached passwords contains the word, to reject it.
      `"${DEMO_PASSWORD}"`,
      FIRST_HOSPITAL,
      ...STAFF.map(({ email }) => email),
      "injected fault",
      "test-world",
      "demo-world",
      "loadDemo",
    ];
    expect(words.filter((word) => bundle.includes(word))).toEqual([]);
    // Control: a word of the product is found.
    expect(bundle).toContain("care_team");
  });

  it("hashes passwords at production's cost only", () => {
    const costs = [...bundle.matchAll(/\{N:(\d+),r:(\d+),p:(\d+)\}/g)].map(([, N, r, p]) => [N, r, p].join(" "));
    expect(costs).toEqual(["16384 8 5"]);
  });

  it("logs an error with the names of its class and functions, and the position where src/ threw it", async () => {
    const lines: string[] = [];
    const secrets = newSecrets();
    const server = await startBench({
      main: join(out, "index.js"),
      secrets,
      logLevel: "ERROR",
      onLog: (line) => lines.push(line),
    });
    try {
      const post = async (path: string, body: object) => {
        const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
        return (await fetch(new URL(`/api/v1${path}`, server.url), init)).json();
      };
      const login = { email: "root@example.org", password: "seven hills over lanterns" };
      await post("/auth/bootstrap", { ...login, full_name: "Root", token: secrets.BOOTSTRAP_TOKEN });
      const { data } = Login.parse(await post("/auth/login", login));
      await server.env.DB.prepare("UPDATE users SET profile_sealed = 'v1.changed'").run();
      const headers = { Authorization: `Bearer ${data.access_token}` };
      expect((await fetch(new URL("/api/v1/auth/me", server.url), { headers })).status).toBe(500);
      await expect.poll(() => lines).toHaveLength(1);
      const written = readFields(lines[0] ?? "");
      expect(written).toMatchObject({ cause: "ApiError", at: expect.stringMatching(/^at unsealValue .* at readSealed /) });
      const { lineno, colno, ...others } = written;
      const line = withSourcePositions({ ...others, lineno: Number(lineno), colno: Number(colno) });
      expect(line.pathname).toBe("src/platform/crypto.ts");
      expect(readFileSync(line.pathname, "utf8").split("\n")[line.lineno - 1]).toContain('throw new ApiError("integrity_error"');
    } finally {
      await server.close();
    }
  }, 120_000);

  it("loads nothing from other hosts in its documentation pages", () => {
    for (const file of ["swagger-ui-bundle.js", "redoc.standalone.js", "docs.js", "redoc.js", "swagger-ui.css"]) {
      const text = readFileSync(join("dist/public/assets", file), "utf8");
      expect(text.match(/https?:\/\/[a-z0-9.-]*cdn[a-z0-9.-]*\/[^"'\s)]*/gi) ?? []).toEqual([]);
    }
  });
});

describe("the bundle of the render Worker", () => {
  it("is at most 1 MB gzipped", () => {
    buildRender();
    expect(gzipSync(readFileSync(RENDER_BUNDLE)).length).toBeLessThan(1_048_576);
  });
});

/** CPU time until a Worker can take its first request, of a profile that wrangler records in workerd. */
function startupMs(config: string): number {
  const outfile = join(out, "startup.cpuprofile");
  execFileSync("wrangler", ["check", "startup", `--args=-c ${config}`, "--outfile", outfile], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  const profile = Profile.parse(JSON.parse(readFileSync(outfile, "utf8")));
  const idle = new Set(profile.nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id));
  return profile.samples.reduce((sum, id, i) => (idle.has(id) ? sum : sum + (profile.timeDeltas[i] ?? 0) / 1000), 0);
}

describe("the start of a Worker", () => {
  // 400 ms is the limit of Workers. Of two runs the shorter one: other processes use the same cores.
  it.each(["wrangler.toml", "render/wrangler.toml"])("takes at most 400 ms of CPU with %s", (config) => {
    const times = [startupMs(config), startupMs(config)];
    expect(Math.min(...times)).toBeGreaterThan(1);
    expect(Math.min(...times)).toBeLessThan(400);
  });
});
