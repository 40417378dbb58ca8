// Consents against a model of their states, and reads at the same time as a revocation.
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { expireConsents } from "../../src/consents/expire-consents.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { times, VERIFY } from "../long.ts";
import {
  API,
  env,
  link,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uploadReport,
} from "../world.ts";

const DAY_MS = 86_400_000;

async function newScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  const sent = await uploadReport(a.nurse, newPdf(), { patient_id: atA.id, kind: "ecg", recorded_at: "2026-03-01T00:00:00Z" });
  const reportId: string = (await readJson(sent)).data.report_id;
  return { b, atA, atB, reportId };
}
let scene: Awaited<ReturnType<typeof newScene>>;
beforeAll(async () => {
  scene = await newScene();
});

const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}/consents${path}`, { as, method: "POST", json });
const run = (statement: ReturnType<typeof sql>) => getDb(env.DB).run(statement);

/** People of their own for each run: a person has 100 requests per minute. */
async function newPeople() {
  const [person, nurse] = [await newPerson("patient"), await newPerson("nurse", scene.b.hospitalId)];
  for (const patient of [scene.atA, scene.atB]) await link(person, patient);
  return { person, nurse };
}
type People = Awaited<ReturnType<typeof newPeople>>;

async function request({ nurse }: People): Promise<string> {
  const body = {
    patient_id: scene.atB.id,
    purpose: "CAREMGT",
    kinds: ["report:ecg", "documents"],
    data_from: "2026-01-01T00:00:00Z",
    data_until: "2026-06-30T00:00:00Z",
    expires_at: new Date(Date.now() + DAY_MS).toISOString(),
    erase_at: new Date(Date.now() + 9 * DAY_MS).toISOString(),
  };
  return (await readJson(await post("", nurse, body))).data.consent_id;
}
const grant = (id: string, { person }: People, change: object = {}) =>
  post(`/${id}/grant`, person, { patient_ids: [scene.atA.id], ...change });
const readReport = async ({ nurse }: People) => (await sendRequest(`${API}/reports/${scene.reportId}`, { as: nurse })).status;

/** What the consent should be: the state that the API shows, the one that is written, and whether it opens the report. */
type Model = { shown: string; written: string; opens: boolean; versions: number };
type Step = "grant" | "grant narrowed" | "deny" | "revoke" | "expire" | "cron" | "grant and deny at once";
const STEPS: Step[] = ["grant", "grant narrowed", "deny", "revoke", "expire", "cron", "grant and deny at once"];
const changed = (model: Model, to: string, opens: boolean): Model => ({
  shown: to,
  written: to,
  opens,
  versions: model.versions + 1,
});

/** Takes the step in the product and in the model. @returns the model after it */
async function take(step: Step, id: string, people: People, model: Model): Promise<Model> {
  const { person } = people;
  const expectStatus = async (response: Promise<Response>, isAllowed: boolean) =>
    expect([model, step, (await response).status]).toEqual([model, step, isAllowed ? 200 : 409]);
  const [isRequested, isGranted] = [model.shown === "requested", model.shown === "granted"];
  switch (step) {
    case "grant":
      await expectStatus(grant(id, people), isRequested);
      return isRequested ? changed(model, "granted", true) : model;
    case "grant narrowed":
      await expectStatus(grant(id, people, { kinds: ["documents"] }), isRequested);
      return isRequested ? changed(model, "granted", false) : model;
    case "deny":
      await expectStatus(post(`/${id}/deny`, person), isRequested);
      return isRequested ? changed(model, "denied", false) : model;
    case "revoke":
      await expectStatus(post(`/${id}/revoke`, person), isGranted);
      return isGranted ? changed(model, "revoked", false) : model;
    case "expire":
      await run(sql`UPDATE consents SET answer_until = 1, expires_at = 1 WHERE id = ${id}`);
      return isRequested || isGranted ? { ...model, shown: "expired", opens: false } : model;
    case "cron":
      await expireConsents(env, Date.now());
      return model.shown === model.written ? model : changed(model, "expired", false);
    case "grant and deny at once": {
      const statuses = (await Promise.all([grant(id, people), post(`/${id}/deny`, person)])).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual(isRequested ? [200, 409] : [409, 409]);
      if (!isRequested) return model;
      return statuses[0] === 200 ? changed(model, "granted", true) : changed(model, "denied", false);
    }
  }
}

describe("the states of a consent", { timeout: 300_000 }, () => {
  it("and what it opens are those of the model, whatever is tried in which order", async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { minLength: 2, maxLength: 6 }), async (steps) => {
        const people = await newPeople();
        const id = await request(people);
        let model: Model = { shown: "requested", written: "requested", opens: false, versions: 1 };
        for (const step of steps) {
          model = await take(step, id, people, model);
          reached.add(model.shown);
          const { data } = await readJson(await sendRequest(`${API}/consents/${id}`, { as: people.person }));
          const opens = (await readReport(people)) === 200;
          expect([steps, step, data.status, opens]).toEqual([steps, step, model.shown, model.opens]);
          const [count] = await getDb(env.DB).all(sql`SELECT count(*) AS n FROM consent_versions WHERE consent_id = ${id}`);
          expect([steps, step, count]).toEqual([steps, step, { n: model.versions }]);
        }
        await run(sql`UPDATE consents SET status = 'revoked' WHERE id = ${id}`);
      }),
      { numRuns: times(12, 150), ...(!VERIFY && { seed: 20261130 }) },
    );
    expect(reached.size).toBeGreaterThan(3);
  });
});

/** Order of the beginnings and ends of all requests of a run. */
type Span = { began: number; ended: number; status: number };

/** The reads that contradict one moment of revocation: allowed though begun after the response, or after a refused read had ended. */
function findStale(reads: readonly Span[], revoked: Span): Span[] {
  const refused = reads.filter(({ status }) => status !== 200).map(({ ended }) => ended);
  const end = Math.min(revoked.ended, ...refused);
  return reads.filter(({ status, began }) => status === 200 && began > end);
}

async function race(read: () => Promise<number>, revoke: () => Promise<number>, count: number) {
  let clock = 0;
  const timed = async (action: () => Promise<number>): Promise<Span> => {
    const began = clock++;
    const status = await action();
    return { began, ended: clock++, status };
  };
  let revocation: Promise<Span> | undefined;
  const reads: Promise<Span>[] = [];
  for (let i = 0; i < count; i++) {
    reads.push(timed(read));
    if (i === Math.floor(count / 3)) revocation = timed(revoke);
    // A few at a time, so that some begin after the response of the revocation.
    if (i % 5 === 4) await Promise.race(reads.slice(-5));
    if (i === count - 10) await revocation;
  }
  if (!revocation) throw new Error("no revocation");
  return { reads: await Promise.all(reads), revoked: await revocation };
}

describe("fifty reads and one revocation", { timeout: 120_000 }, () => {
  const newGrant = async () => {
    const people = await newPeople();
    const id = await request(people);
    expect((await grant(id, people)).status).toBe(200);
    const revoke = async () => (await post(`/${id}/revoke`, people.person)).status;
    return { people, revoke };
  };

  it("look as if the revocation happened at one moment, before its response", async () => {
    const { people, revoke } = await newGrant();
    const { reads, revoked } = await race(() => readReport(people), revoke, 50);
    expect(revoked.status).toBe(200);
    expect(reads.some(({ status }) => status === 200)).toBe(true);
    expect(reads.filter(({ began }) => began > revoked.ended).length).toBeGreaterThanOrEqual(9);
    expect(findStale(reads, revoked)).toEqual([]);
  });

  it("would contradict it if the check of the first read were cached (the known-bad twin)", async () => {
    const { people, revoke } = await newGrant();
    let cached: Promise<number> | undefined;
    const { reads, revoked } = await race(() => (cached ??= readReport(people)), revoke, 50);
    expect(findStale(reads, revoked).length).toBeGreaterThan(0);
  });
});
