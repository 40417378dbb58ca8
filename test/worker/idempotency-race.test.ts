// Fifty concurrent requests with one Idempotency-Key: one patient, and all responses contain it.
import { describe, expect, it } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { API, env, findEvents, newHospital, newPerson, readJson, sendRequest, uniqueText } from "../world.ts";

describe("fifty creates with one key at once", () => {
  it("make one patient, one trace and one count, and all answer with it", async () => {
    const hospitalId = await newHospital();
    const nurse = await newPerson("nurse", hospitalId);
    const headers = { "Idempotency-Key": `race-${uniqueText()}` };
    const of = withRandomDelays(env);
    const create = () => sendRequest(`${API}/patients`, { as: nurse, json: { first_name: "Asha" }, headers, env: of });
    const answers = await Promise.all(Array.from({ length: 50 }, create));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(201));
    const ids = new Set((await Promise.all(answers.map(readJson))).map((body) => body.data.patient_id));
    expect(ids.size).toBe(1);
    const n = async (sql: string) => {
      // biome-ignore lint/plugin: constants of this test.
      const row = await env.DB.prepare(sql).bind(hospitalId).first<{ n: number }>();
      return row?.n;
    };
    expect(await n("SELECT count(*) AS n FROM patients WHERE hospital_id = ?")).toBe(1);
    expect(await findEvents({ event: "patient.create", hospital_id: hospitalId })).toHaveLength(1);
    expect(await n("SELECT sum(n) AS n FROM counters WHERE scope LIKE '%' || ? AND name = 'patients'")).toBe(1);
  });

  it("make fifty with fifty keys (the control)", async () => {
    const nurse = await newPerson("nurse", await newHospital());
    const of = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        sendRequest(`${API}/patients`, {
          as: nurse,
          json: { first_name: "Asha" },
          headers: { "Idempotency-Key": `key-${uniqueText()}-${i}` },
          env: of,
        }),
      ),
    );
    const bodies = await Promise.all(answers.map(readJson));
    expect(new Set(bodies.map((body) => body.data.patient_id)).size).toBe(50);
    expect(new Set(bodies.map((body) => body.data.patient_number)).size).toBe(50);
  });

  it("would make several by a look-up that is followed by an insert (the known-bad twin)", async () => {
    const { DB } = withRandomDelays(env);
    await DB.prepare("CREATE TABLE naive_creates (id TEXT PRIMARY KEY, idem TEXT NOT NULL)").run();
    async function naive(): Promise<string> {
      const found = await DB.prepare("SELECT id FROM naive_creates WHERE idem = 'k'").first<{ id: string }>();
      if (found) return found.id;
      const id = uniqueText();
      await DB.prepare("INSERT INTO naive_creates VALUES (?, 'k')").bind(id).run();
      return id;
    }
    const ids = await Promise.all(Array.from({ length: 50 }, naive));
    expect(new Set(ids).size).toBeGreaterThan(1);
  });
});
