// Writes repeat the access check in the same batch: a claim in the token that the database denies changes nothing.
import { beforeEach, describe, expect, it } from "vitest";
import { withCounters } from "../stores.ts";
import { API, env, newWorld, readAuditEvents, readJson, sendRequest, type World } from "../world.ts";

let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const create = (as: { token: string }, json: object = { first_name: "Asha" }) => sendRequest(`${API}/patients`, { as, json });
const patientsOf = () =>
  env.DB.prepare("SELECT count(*) AS n FROM patients WHERE hospital_id = ?").bind(world.hospitalId).first<number>("n");
const run = (statement: D1PreparedStatement) => statement.run();

async function refusedWith(status: number, as: { token: string } = world.nurse) {
  const before = await patientsOf();
  const answer = await create(as);
  expect(answer.status).toBe(status);
  expect(await patientsOf()).toBe(before);
}

describe("registering in one round trip", () => {
  it("costs one while the token is right", async () => {
    const { env: counted, counts } = withCounters(env);
    const register = () => sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, env: counted });
    // The first request of an isolate also checks the deployment.
    await register();
    const before = counts.d1;
    expect((await register()).status).toBe(201);
    expect(counts.d1 - before).toBe(1);
  });

  it("is refused, without a row, when the session has ended", async () => {
    await run(env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(world.nurse.sessionId));
    await refusedWith(401);
  });

  it("is refused when the membership is suspended, and when the hospital is closed", async () => {
    await run(env.DB.prepare("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?").bind(world.nurse.id));
    await refusedWith(401);
    await run(env.DB.prepare("UPDATE hospitals SET active = 0 WHERE id = ?").bind(world.hospitalId));
    await refusedWith(401, world.manager);
  });

  it("follows the role of the database: a nurse who became a doctor joins the care team of whom she registers", async () => {
    await run(env.DB.prepare("UPDATE memberships SET role = 'doctor' WHERE user_id = ?").bind(world.nurse.id));
    const answer = await create(world.nurse);
    expect(answer.status).toBe(201);
    const [event] = await readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
    const id = (await readJson(answer)).data.patient_id;
    expect(event).toMatchObject({ event: "patient.create", actor_role: "doctor", subjects: [id] });
    const team = env.DB.prepare("SELECT user_id FROM care_team WHERE patient_id = ?").bind(id);
    expect(await team.first("user_id")).toBe(world.nurse.id);
  });
});
