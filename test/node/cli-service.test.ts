// `edgecare export` and the commands that ask a service for the state of a rotation, against a server with fixed answers.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { advanceRing } from "../../cli/key-rings.ts";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import { importFernetKey, openFernet } from "../../src/platform/fernet.ts";

const TOKEN = "a-token";
const FERNET_KEY = `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}=`;
const HISTORY = "Asthma – दमा\nsince 1999";
const patient = (patient_id: string, medical_history: string | null) => ({ patient_id, patient_number: 7, medical_history });
const answers: Record<string, unknown> = {
  "/api/v1/patients?limit=100": { data: [{ patient_id: "p1" }], meta: { pagination: { next_cursor: "c+1" } } },
  "/api/v1/patients?limit=100&cursor=c%2B1": { data: [{ patient_id: "p2" }], meta: { pagination: { next_cursor: null } } },
  "/api/v1/patients/p1": { data: patient("p1", HISTORY) },
  "/api/v1/patients/p2": { data: patient("p2", null) },
};
const setKeys = (can_be_dropped: boolean) => {
  answers["/api/v1/admin/keys"] = {
    data: {
      current_key_id: "f2",
      keys: [
        { key_id: "f2", in_ring: true, values: 9, can_be_dropped: false },
        { key_id: "f1", in_ring: true, values: can_be_dropped ? 0 : 3, can_be_dropped },
      ],
      stores: [
        {
          store: "patients",
          phase: can_be_dropped ? "done" : "sealing",
          values: { f1: can_be_dropped ? 0 : 3, f2: 9 },
          unreadable: 0,
        },
      ],
    },
  };
};

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = request.headers.authorization === `Bearer ${TOKEN}` ? answers[request.url ?? ""] : undefined;
    response.writeHead(answer ? 200 : request.headers.authorization ? 404 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(() => {
  server.close();
});

type Ended = { status: number; stdout: string; stderr: string };

function cli(args: string[], { input = "", token = TOKEN }: { input?: string; token?: string } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, EDGECARE_TOKEN: token } };
    const child = execFile("node", ["cli/edgecare.ts", ...args], options, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

describe("edgecare export", () => {
  it("writes the histories of all patients as tokens of the other system's key", async () => {
    const { status, stdout, stderr } = await cli(["export", "--fernet", FERNET_KEY, "--url", url]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const [first, second] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const opened = await openFernet(await importFernetKey(FERNET_KEY), first.medical_history);
    expect(new TextDecoder().decode(opened)).toBe(HISTORY);
    expect(first).toMatchObject({ patient_id: "p1", patient_number: 7 });
    expect(second).toEqual(patient("p2", null));
  });

  it("reads the key from standard input, and writes named patients alone", async () => {
    const { status, stdout } = await cli(["export", "--fernet", "-", "--patient", "p2", "--url", url], {
      input: `${FERNET_KEY}\n`,
    });
    expect([status, JSON.parse(stdout)]).toEqual([0, patient("p2", null)]);
  });

  it.each([
    [["--fernet", "short"], "a Fernet key is base64url of 32 bytes", 1],
    [["--fernet", FERNET_KEY, "--patient", "unknown"], "The service answered 404 to /patients/unknown.", 1],
    [["--fernet", FERNET_KEY, "--url", "http://clinic.example.org"], "http://clinic.example.org is no https address.", 1],
    [[], "usage: edgecare export", 2],
  ])("%j fails with a reason, and shows no key", async (args, reason, expected) => {
    const { status, stdout, stderr } = await cli(["export", "--url", url, ...args]);
    expect([status, stdout]).toEqual([expected, ""]);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain(FERNET_KEY);
  });

  it("needs a token", async () => {
    const { status, stderr } = await cli(["export", "--fernet", FERNET_KEY, "--url", url], { token: "" });
    expect([status, stderr.trim()]).toEqual([1, "Set EDGECARE_TOKEN to an access token."]);
  });
});

describe("edgecare keys", () => {
  const ring = () => advanceRing("FIELD_KEYS", advanceRing("FIELD_KEYS", newSecrets().FIELD_KEYS, "add"), "sign");

  it("status: prints what is under each key, and the stores that are not done", async () => {
    setKeys(false);
    const { status, stdout } = await cli(["keys", "status", "--url", url]);
    expect([status, stdout.trim().split("\n")]).toEqual([
      0,
      ["f2\t9\tcurrent", "f1\t3\tin use", "patients\tsealing\t3 left\t0 unreadable"],
    ]);
  });

  it("rotate --stage drop: drops the old key of FIELD_KEYS only when the service has nothing under it", async () => {
    const drop = ["keys", "rotate", "FIELD_KEYS", "--stage", "drop", "--url", url];
    const present = ring();
    setKeys(false);
    const refused = await cli(drop, { input: present });
    expect([refused.status, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("edgecare keys status");
    setKeys(true);
    const dropped = await cli(drop, { input: present });
    expect([dropped.status, dropped.stdout.trim()]).toEqual([0, present.split(",")[0]]);
  });
});
