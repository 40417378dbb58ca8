// An erasure that is killed at any store call converges with the next run, and certifies each row and file once.
import { beforeAll, expect, it } from "vitest";
import { runErasures } from "../../src/erasure/run/run-erasures.ts";
import { newDocument } from "../document-files.ts";
import { VERIFY } from "../long.ts";
import { withStoreFault } from "../stores.ts";
import { env, link, newPatient, newPdf, newPerson, newWorld, uploadReport, type World } from "../world.ts";
import { approved, eraseAll, idsOf, LATER, listFiles, scanD1 } from "./erasure-world.ts";

/** Each store call is killed in turn with VERIFY=1, else every 41st. */
const STRIDE = VERIFY ? 1 : 41;

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

/** A patient with a login, two reports and a document. */
async function newSubject(): Promise<Pick<World, "manager" | "self" | "patient">> {
  const { hospitalId, nurse, manager } = world;
  const patient = await newPatient(hospitalId, nurse);
  const self = await newPerson("patient");
  await link(self, patient);
  for (let i = 0; i < 2; i++) await uploadReport(nurse, newPdf(), { patient_id: patient.id });
  await newDocument(nurse, patient.id);
  return { manager, self, patient };
}

const countsOf = async (id: string): Promise<Record<string, number>> => {
  const text = await env.DB.prepare("SELECT certificate FROM erasures WHERE id = ?").bind(id).first<string>("certificate");
  const { counts } = JSON.parse(text ?? "{}") as { counts: { store: string; count: number }[] };
  return Object.fromEntries(counts.map(({ store, count }) => [store, count]));
};

it.each(["before", "after"] as const)("killed %s a store call, it ends with the next run", async (when) => {
  const expected = await (async () => {
    const subject = await newSubject();
    const id = await approved(subject);
    await eraseAll(id);
    return countsOf(id);
  })();
  expect(expected).toMatchObject({ "d1.reports": 2, "d1.documents": 1, "r2.files": 3, "d1.users": 1, "d1.patients": 1 });
  let fired = 0;
  for (let k = 1; ; k += STRIDE) {
    const subject = await newSubject();
    const ids = await idsOf(subject.patient.id, subject.self.id);
    const id = await approved(subject);
    const { env: faulty, fault } = withStoreFault(env, k, when);
    await runErasures(faulty, LATER).catch(() => undefined);
    if (!fault.fired) break;
    fired++;
    await eraseAll(id);
    expect(await countsOf(id), `killed ${when} call ${k}, ${fault.op}`).toEqual(expected);
    expect(Object.fromEntries(await scanD1(ids))).toEqual({});
  }
  expect(fired).toBeGreaterThan(2);
});

it("two runs at once count each row once", async () => {
  const subject = await newSubject();
  const files = await listFiles();
  const id = await approved(subject);
  await Promise.all([runErasures(env, LATER), runErasures(env, LATER)]);
  await eraseAll(id);
  expect(await countsOf(id)).toMatchObject({
    "d1.reports": 2,
    "d1.documents": 1,
    "r2.files": files.length - (await listFiles()).length,
  });
});

it("leaves others as they were", async () => {
  expect((await scanD1([world.patient.id])).size).toBeGreaterThan(0);
});
