// The queue of password hashes: a bounded number waits, a full queue tells nothing, and other requests stay fast while logins flood.
import crypto from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { withHashSlot } from "../../src/accounts/passwords/hash-queue.ts";
import { HASH_QUEUE } from "../../src/accounts/passwords/password-cost.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newHospital, newPerson, PASSWORD, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

const WRONG = "wrong password 9";
let manager: Person;
let hospitalId: string;
beforeAll(async () => {
  hospitalId = await newHospital();
  manager = await newPerson("hospital_admin", hospitalId);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const login = (email: string, password = WRONG, more: { ip?: string; headers?: Record<string, string> } = {}) =>
  sendRequest(`${API}/auth/login`, { json: { email, password, transport: "cookie" }, ...more });
const nobody = () => `${uniqueText()}@example.org`;
const statuses = async (responses: Promise<Response>[]) => (await Promise.all(responses)).map(({ status }) => status);

/** Lets no hash end before `open` is called, and stops the clock, so that no place expires meanwhile. */
function holdHashes() {
  vi.useFakeTimers({ toFake: ["Date"] });
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const original = crypto.scrypt;
  const spy = vi.spyOn(crypto, "scrypt").mockImplementation((...args: unknown[]) => {
    gate.then(() => Reflect.apply(original, crypto, args));
  });
  return { open, spy };
}

const countAttempts = async () => (await env.DB.prepare("SELECT count(*) AS n FROM login_attempts").first<number>("n")) ?? 0;

/** Starts logins of unknown names that keep their places until the hashes are released; each has reserved an attempt. */
async function fill(count: number, ip?: string): Promise<Promise<Response>[]> {
  const before = await countAttempts();
  const running = Array.from({ length: count }, () => login(nobody(), WRONG, ip === undefined ? {} : { ip }));
  while ((await countAttempts()) < before + count) await scheduler.wait(20);
  return running;
}

describe("a full queue", () => {
  it("refuses with 503 before the account is looked up, and alike for a known, an unknown and a locked name", async () => {
    const [known, locked] = await Promise.all([newPerson("nurse", hospitalId), newPerson("nurse", hospitalId)]);
    const add = env.DB.prepare("INSERT INTO login_attempts (subject, id, state, expires_at) VALUES (?, ?, 'failed', ?)");
    await env.DB.batch(Array.from({ length: 5 }, () => add.bind(locked.id, uniqueText(), Date.now() + 900_000)));
    const { open } = holdHashes();
    const running = await fill(HASH_QUEUE.unknown);
    const before = await countAttempts();
    const told = [];
    for (const [email, password] of [
      [known.email, WRONG],
      [known.email, PASSWORD],
      [nobody(), WRONG],
      [locked.email, PASSWORD],
    ] as const) {
      const answer = await login(email, password);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      const headers = [...answer.headers].filter(([name]) => name !== "x-request-id");
      told.push([answer.status, headers, (await answer.text()).replace(/"(error_id|request_id)":"[^"]+"/g, "")]);
    }
    expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(told[0]?.[0]).toBe(503);
    expect(await countAttempts()).toBe(before);
    const registration = { email: nobody(), password: "lanterns over seven hills", full_name: "Meera Iyer" };
    for (const [path, json] of [
      ["register", registration],
      ["invitations/accept", { token: "eci_x", password: registration.password }],
      ["password/reset", { token: "ecp_x", new_password: registration.password }],
    ] as const) {
      await expectProblem(await sendRequest(`${API}/auth/${path}`, { json }), 503, "unavailable");
    }
    // Users with a session still have places, and everything without a hash works.
    expect((await sendRequest(`${API}/auth/me`, { as: manager })).status).toBe(200);
    const json = { email: nobody(), password: registration.password, full_name: "New Nurse", role: "nurse" };
    const staff = sendRequest(`${API}/users`, { as: manager, json });
    open();
    expect(new Set(await statuses(running))).toEqual(new Set([401]));
    expect((await staff).status).toBe(201);
    expect((await login(known.email, PASSWORD)).status).toBe(200);
  });

  it("has places for one caller, and more for others", async () => {
    const person = await newPerson("nurse", hospitalId);
    const cookies = (await login(person.email, PASSWORD)).headers.getSetCookie().map((line) => line.split(";")[0]);
    const { open } = holdHashes();
    const ip = "198.18.44.1";
    const running = await fill(HASH_QUEUE.perCaller, ip);
    await expectProblem(await login(nobody(), WRONG, { ip }), 503, "unavailable");
    const rest = await fill(HASH_QUEUE.unknown - HASH_QUEUE.perCaller);
    await expectProblem(await login(nobody()), 503, "unavailable");
    // The same address, and a browser in which this person has logged in.
    const owner = login(person.email, PASSWORD, { ip, headers: { Cookie: cookies.join("; ") } });
    open();
    expect((await owner).status).toBe(200);
    expect(new Set(await statuses([...running, ...rest]))).toEqual(new Set([401]));
  });

  it("keeps slots for staff when accounts that anybody can register fill all others", async () => {
    const [nurse, doctor, patient] = await Promise.all([
      newPerson("nurse", hospitalId),
      newPerson("doctor", hospitalId),
      newPerson("patient"),
    ]);
    const cookieOf = async ({ email }: Person) =>
      (await login(email, PASSWORD)).headers
        .getSetCookie()
        .map((line) => line.split(";")[0])
        .join("; ");
    const [staffCookie, ownCookie] = [await cookieOf(nurse), await cookieOf(patient)];
    const change = (as: Person) =>
      sendRequest(`${API}/auth/password/change`, {
        as,
        json: { current_password: PASSWORD, new_password: "lanterns over seven hills" },
      });
    const forever = () => new Promise<never>(() => {});
    vi.useFakeTimers({ toFake: ["Date"] });
    for (let i = 0; i < HASH_QUEUE.known; i++)
      withHashSlot({ key: `registered:${i}`, kind: "known" }, forever).catch(() => undefined);
    await expectProblem(await change(patient), 503, "unavailable");
    await expectProblem(await login(patient.email, PASSWORD, { headers: { Cookie: ownCookie } }), 503, "unavailable");
    expect((await login(nobody())).status).toBe(401);
    for (let i = HASH_QUEUE.known; i < HASH_QUEUE.notStaff; i++)
      withHashSlot({ key: `address:${i}`, kind: "unknown" }, forever).catch(() => undefined);
    await expectProblem(await login(nurse.email, PASSWORD), 503, "unavailable");
    expect((await login(nurse.email, PASSWORD, { headers: { Cookie: staffCookie } })).status).toBe(200);
    expect((await change(doctor)).status).toBe(200);
    vi.setSystemTime(Date.now() + 10_001);
    expect((await change(patient)).status).toBe(200);
  });

  it("empties although cancelled requests give nothing back", async () => {
    const forever = () => new Promise<never>(() => {});
    vi.useFakeTimers({ toFake: ["Date"] });
    for (let i = 0; i < HASH_QUEUE.unknown; i++)
      withHashSlot({ key: `cancelled:${i}`, kind: "unknown" }, i ? forever : ({ run }) => run(forever)).catch(() => undefined);
    await expectProblem(await login(nobody()), 503, "unavailable");
    vi.setSystemTime(Date.now() + 10_001);
    expect((await login(manager.email, PASSWORD)).status).toBe(200);
  });
});

describe("other requests while logins flood", () => {
  const LOGINS = 6;
  /** Production's cost: 160 ms of the thread, which this isolate shares with the requests. */
  const REAL = { N: 16_384, r: 8, p: 5, maxmem: 64 * 1024 * 1024 };
  const hash = (password: string, salt: Uint8Array) =>
    new Promise<Buffer>((resolve, reject) =>
      crypto.scrypt(password, salt, 32, REAL, (error, key) => (error ? reject(error) : resolve(key))),
    );

  /** Numbers of these works that ended during each request of a user, one request after the other, until all have ended. */
  async function endedDuringRequests(works: readonly Promise<unknown>[]): Promise<number[]> {
    let ended = 0;
    for (const work of works)
      void work.finally(() => {
        ended += 1;
      });
    const counts: number[] = [];
    while (ended < works.length) {
      const before = ended;
      expect((await sendRequest(`${API}/auth/me`, { as: manager })).status).toBe(200);
      // Local stores run in this process: requests without a pause between them would keep every timer from firing. A hash in the
      // pause keeps a request waiting too.
      await scheduler.wait(5);
      counts.push(ended - before);
    }
    return counts;
  }

  it("wait for one hash, not for all of them (with the known-bad twin)", async ({ annotate }) => {
    const salt = new Uint8Array(16);
    const text = `scrypt$16384$8$5$${Buffer.from(salt).toString("base64url")}$${(await hash(PASSWORD, salt)).toString("base64url")}`;
    const people = await Promise.all(Array.from({ length: LOGINS }, () => newPerson("nurse", hospitalId)));
    const set = env.DB.prepare("UPDATE users SET password_hash = ? WHERE id = ?");
    await env.DB.batch(people.map(({ id }) => set.bind(text, id)));
    const logins = people.map(({ email }) => login(email, PASSWORD));
    const queued = await endedDuringRequests(logins);
    expect((await Promise.all(logins)).map(({ status }) => status)).toEqual(Array(LOGINS).fill(200));
    // Like logins, they begin after a round trip.
    const naive = await endedDuringRequests(people.map(() => scheduler.wait(20).then(() => hash(PASSWORD, salt))));
    const [worst, worstNaive] = [Math.max(...queued), Math.max(...naive)];
    await annotate(`during a request at most ${worst} of ${LOGINS} logins ended; without the queue ${worstNaive} hashes`);
    expect(queued.length).toBeGreaterThan(LOGINS);
    // A busy machine may keep one request for the time of two.
    expect(worst).toBeLessThanOrEqual(LOGINS / 2);
    expect(worstNaive).toBeGreaterThan(LOGINS / 2);
  });

  it("a login that meets no other waits for nothing", async () => {
    const { data } = await readJson(await login(manager.email, PASSWORD));
    expect(data.user_id).toBe(manager.id);
  });
});
