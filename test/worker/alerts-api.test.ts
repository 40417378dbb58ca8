// Alerts over HTTP: visibility, actions on an alert, and their audit events.
import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import {
  API,
  env,
  newDevice,
  newPatient,
  newPerson,
  newWorld,
  type Patient,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const monitorOf = (patient: Patient) => env.PATIENT_MONITOR.getByName(patient.id);
const sample = (code: string, value: number, unit: string) => ({ code, value, unit, effective_at: new Date().toISOString() });
const heart = (value: number) => sample("8867-4", value, "/min");

async function watch(patient: Patient, nurse: Person = world.nurse, change: object = { monitoring: "ward" }): Promise<void> {
  const { data } = await readJson(await sendRequest(`${API}/patients/${patient.id}`, { as: nurse }));
  const headers = { "If-Match": `"${data.version}"` };
  const answer = await sendRequest(`${API}/patients/${patient.id}`, { as: nurse, method: "PATCH", json: change, headers });
  expect(answer.status).toBe(200);
}

/** A patient on the ward in asystole. @param told whether D1 has the alert */
async function alarmed(
  patient: Patient = world.patient,
  told = true,
): Promise<{ id: string; device: { token: string; id: string } }> {
  await watch(patient);
  const device = await newDevice(world.nurse, patient.id, "bedside_monitor");
  await bring(device, heart(0));
  if (told) await runDurableObjectAlarm(monitorOf(patient));
  const open = (await monitorOf(patient).snapshot())?.alerts ?? [];
  expect(open).toHaveLength(1);
  return { id: open[0]?.alert_id ?? "", device };
}

const bring = async (as: { token: string }, ...samples: object[]) => {
  const answer = await sendRequest(`${API}/observations`, { as, json: { samples } });
  expect((await readJson(answer)).data.refused).toBe(0);
};
const act = (id: string, what: string, as: RequestOptions["as"] = world.nurse, json?: object) =>
  sendRequest(`${API}/alerts/${id}/${what}`, { as, method: "POST", ...(json && { json }) });
const get = (id: string, as: RequestOptions["as"] = world.nurse) => sendRequest(`${API}/alerts/${id}`, { as });
const list = async (query = "", as: RequestOptions["as"] = world.nurse): Promise<{ alert_id: string; patient_id: string }[]> =>
  (await readJson(await sendRequest(`${API}/alerts?${query}`, { as }))).data;
const ids = (alerts: { alert_id: string }[]) => alerts.map(({ alert_id }) => alert_id);
const traceOf = (answer: Response) => readAuditEvents(answer.headers.get("X-Request-Id") ?? "");

describe("an alert", () => {
  it("is acknowledged, and D1 tells the same of it as the object", async () => {
    const { id } = await alarmed();
    const [before] = await list();
    expect(before).toMatchObject({ alert_id: id, state: "active", priority: "high", rule: "limit", code: "8867-4" });
    expect(before).toEqual((await monitorOf(world.patient).snapshot())?.alerts[0]);
    const answer = await act(id, "acknowledge");
    expect(answer.status).toBe(200);
    expect((await readJson(answer)).data).toMatchObject({ alert_id: id, state: "acknowledged", acknowledged_by: world.nurse.id });
    await runDurableObjectAlarm(monitorOf(world.patient));
    const { data } = await readJson(await get(id));
    expect(data.events.map(({ what, by }: { what: string; by: string }) => [what, by])).toEqual([
      ["raised", null],
      ["acknowledged", world.nurse.id],
    ]);
    const { events: _, ...view } = data;
    expect((await list("state=acknowledged"))[0]).toEqual(view);
    const said = { outcome: "success", actor_id: world.nurse.id, entity_id: id, subjects: [world.patient.id] };
    const events = await traceOf(answer);
    expect(events.toSorted((a, b) => a.event.length - b.event.length)).toMatchObject([
      { ...said, event: "alert.acknowledge", action: "U" },
      { ...said, event: "alert.acknowledge_begin", action: "U" },
    ]);
  });

  it("tells when the next escalation follows, by the hospital's own minutes, until it is acknowledged", async () => {
    const json = { escalation_minutes: { high: [7], medium: [], low: [] } };
    const path = `${API}/hospitals/${world.hospitalId}/escalation`;
    expect((await sendRequest(path, { as: world.admin, method: "PUT", json })).status).toBe(200);
    const { id } = await alarmed();
    const { data } = await readJson(await get(id));
    expect(Date.parse(data.escalates_at) - Date.parse(data.raised_at)).toBe(7 * 60_000);
    expect((await readJson(await act(id, "acknowledge"))).data.escalates_at).toBeNull();
  });

  it("is acknowledged by one of twenty concurrent requests, and all get that person's id", async () => {
    const { id } = await alarmed();
    const nurses = await Promise.all(Array.from({ length: 20 }, () => newPerson("nurse", world.hospitalId)));
    const answers = await Promise.all(nurses.map((nurse) => act(id, "acknowledge", nurse)));
    expect(answers.map(({ status }) => status)).toEqual(nurses.map(() => 200));
    const told = await Promise.all(answers.map(async (answer) => (await readJson(answer)).data.acknowledged_by));
    expect(new Set(told).size).toBe(1);
    expect(nurses.map((nurse) => nurse.id)).toContain(told[0]);
    await runDurableObjectAlarm(monitorOf(world.patient));
    const { data } = await readJson(await get(id));
    expect(data.acknowledged_by).toBe(told[0]);
    expect(data.events.filter(({ what }: { what: string }) => what === "acknowledged")).toHaveLength(1);
  });

  it("keeps its first acknowledgement; a cleared one is a conflict", async () => {
    const { id } = await alarmed();
    const first = (await readJson(await act(id, "acknowledge"))).data;
    const second = await act(id, "acknowledge", world.manager);
    expect(second.status).toBe(200);
    expect((await readJson(second)).data).toMatchObject({
      acknowledged_by: world.nurse.id,
      acknowledged_at: first.acknowledged_at,
    });
    expect((await act(id, "resolve")).status).toBe(200);
    // D1 does not have the end yet; the object does.
    for (const known of [false, true]) {
      if (known) await runDurableObjectAlarm(monitorOf(world.patient));
      for (const [what, json] of [
        ["acknowledge"],
        ["resolve"],
        ["assign", { user_id: null }],
        ["snooze", { minutes: 5 }],
      ] as const) {
        const late = await act(id, what, world.nurse, json);
        expect(late.status, what).toBe(409);
        expect((await traceOf(late)).at(-1)).toMatchObject({ event: `alert.${what}`, outcome: "failed", reason: "conflict" });
      }
    }
    expect((await readJson(await get(id))).data).toMatchObject({ state: "cleared" });
    expect(await list("open=true")).toEqual([]);
    expect(ids(await list("open=false"))).toEqual([id]);
  });

  it("is assigned to staff of the hospital alone", async () => {
    const { id } = await alarmed();
    const assigned = await act(id, "assign", world.nurse, { user_id: world.doctor.id });
    expect((await readJson(assigned)).data).toMatchObject({ assigned_to: world.doctor.id });
    const foreign = await newWorld();
    const gone = await newPerson("nurse", world.hospitalId);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(gone.id).run();
    for (const other of [foreign.nurse, world.self, gone]) {
      const refused = await act(id, "assign", world.nurse, { user_id: other.id });
      expect(refused.status).toBe(400);
      expect((await readJson(refused)).errors).toMatchObject([{ path: "user_id" }]);
      expect(await traceOf(refused)).toEqual([]);
    }
    await runDurableObjectAlarm(monitorOf(world.patient));
    expect(ids(await list(`assigned_to=${world.doctor.id}`))).toEqual([id]);
    expect((await readJson(await act(id, "assign", world.doctor, { user_id: null }))).data.assigned_to).toBeNull();
  });

  it("is snoozed for a minute to four hours", async () => {
    const { id } = await alarmed();
    const { data } = await readJson(await act(id, "snooze", world.nurse, { minutes: 240 }));
    const left = Date.parse(data.snoozed_until) - Date.now();
    expect(left).toBeGreaterThan(239 * 60_000);
    expect(left).toBeLessThanOrEqual(240 * 60_000);
    for (const minutes of [0, 241, 1.5, "5", null]) expect((await act(id, "snooze", world.nurse, { minutes })).status).toBe(400);
  });

  it("is readable before its delivery to D1, and not before it was raised", async () => {
    const { id } = await alarmed(world.patient, false);
    expect(await list()).toEqual([]);
    expect((await readJson(await get(id))).data).toMatchObject({ alert_id: id, state: "active", events: [] });
    expect((await act(id, "comment", world.nurse, { text: "At the bedside." })).status).toBe(200);
    expect((await readJson(await act(id, "acknowledge"))).data).toMatchObject({ state: "acknowledged" });
    await runDurableObjectAlarm(monitorOf(world.patient));
    const { events } = (await readJson(await get(id))).data;
    expect(events.map(({ what }: { what: string }) => what)).toEqual(["raised", "commented", "acknowledged"]);
    for (const what of ["acknowledge", "resolve"]) {
      const none = await act(toAlertId(world.patient.id, 99), what);
      expect(none.status).toBe(404);
      expect((await traceOf(none)).map(({ outcome }) => outcome)).toEqual(["denied"]);
    }
  });
});

describe("a comment", () => {
  it("is readable for whoever may read the alert, and stored encrypted", async () => {
    const { id } = await alarmed();
    const text = `Probe had slipped ${world.patient.canary}`;
    const said = await act(id, "comment", world.nurse, { text });
    expect(said.status).toBe(200);
    expect((await readJson(said)).data.events.at(-1)).toMatchObject({ what: "commented", by: world.nurse.id, comment: text });
    await act(id, "comment", world.doctor, { text: "Seen." });
    await act(id, "resolve");
    await runDurableObjectAlarm(monitorOf(world.patient));
    expect((await act(id, "comment", world.nurse, { text: "Electrode changed." })).status).toBe(200);
    const { events } = (await readJson(await get(id, world.self))).data;
    expect(events.map(({ what }: { what: string }) => what)).toEqual([
      "raised",
      "commented",
      "commented",
      "cleared",
      "commented",
    ]);
    const { results } = await env.DB.prepare("SELECT * FROM alert_events WHERE alert_id = ?").bind(id).all();
    expect(results.map(({ n }) => n).sort()).toEqual([-1, -2, -3, 1, 2]);
    expect(JSON.stringify(results)).not.toContain(world.patient.canary);
    expect(JSON.stringify(await traceOf(said))).not.toContain(world.patient.canary);
  });

  it("is stored once per Idempotency-Key, and each of twenty concurrent ones is kept", async () => {
    const { id } = await alarmed();
    const say = (key: string, text = "Seen.") =>
      sendRequest(`${API}/alerts/${id}/comment`, { as: world.nurse, json: { text }, headers: { "Idempotency-Key": key } });
    const same = await Promise.all(Array.from({ length: 5 }, () => say("comment-key-1")));
    expect(same.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await say("comment-key-1", "Other.")).status).toBe(409);
    await Promise.all(Array.from({ length: 20 }, (_, i) => act(id, "comment", world.nurse, { text: `Word ${i}` })));
    const { events } = (await readJson(await get(id))).data;
    expect(events.filter(({ what }: { what: string }) => what === "commented")).toHaveLength(21);
  });

  it("that is moved to another alert does not decrypt", async () => {
    const [a, b] = [await alarmed(world.patient), await alarmed(world.stranger)];
    await act(a.id, "comment", world.nurse, { text: "Mine." });
    await env.DB.prepare("UPDATE alert_events SET alert_id = ? WHERE alert_id = ? AND n < 0").bind(b.id, a.id).run();
    expect((await get(b.id)).status).toBe(500);
  });
});

describe("alerts of others", () => {
  it("are not found by another hospital, a doctor outside the care team, another patient", async () => {
    const { id } = await alarmed(world.stranger);
    const foreign = await newWorld();
    for (const as of [foreign.nurse, foreign.manager, world.doctor]) {
      const answers = [await get(id, as), await act(id, "acknowledge", as), await act(id, "comment", as, { text: "x" })];
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
      expect(await list("", as)).toEqual([]);
      expect(await list(`patient_id=${world.stranger.id}`, as)).toEqual([]);
    }
    expect((await get(id, world.self)).status).toBe(404);
    expect((await monitorOf(world.stranger).snapshot())?.alerts).toMatchObject([{ state: "active" }]);
  });

  it("and ids of nothing get one and the same answer", async () => {
    const { id } = await alarmed(world.stranger);
    const none = [
      id,
      toAlertId(crypto.randomUUID(), 1),
      toAlertId(world.patient.id, 50),
      "a",
      "no-alert",
      `${id}x`,
      id.toUpperCase(),
    ];
    const seen = await Promise.all(
      none.map(async (one) =>
        (await (await get(one, world.doctor)).text()).replace(/"(error_id|request_id|instance)":"[^"]*"/g, ""),
      ),
    );
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toContain('"status":404');
  });

  it("are acted on by staff alone; a patient reads their own", async () => {
    const { id, device } = await alarmed();
    expect((await readJson(await get(id, world.self))).data.alert_id).toBe(id);
    expect(ids(await list("", world.self))).toEqual([id]);
    for (const what of ["acknowledge", "resolve"]) {
      expect((await act(id, what, world.self)).status).toBe(403);
      expect((await act(id, what, device)).status).toBe(403);
      expect((await act(id, what, null)).status).toBe(401);
    }
    expect((await act(id, "comment", world.self, { text: "Hello" })).status).toBe(403);
    for (const as of [world.nurse, world.doctor, world.manager, world.admin])
      expect((await act(id, "acknowledge", as)).status).toBe(200);
  });
});

describe("the list of alerts", () => {
  it("filters, sorts, pages, and names its patients in the audit log", async () => {
    const ward = (await readJson(await sendRequest(`${API}/wards`, { as: world.manager, json: { name: "West" } }))).data.ward_id;
    await watch(world.stranger, world.nurse, { ward_id: ward });
    const third = await newPatient(world.hospitalId, world.nurse);
    const [a, b, c] = [await alarmed(world.patient), await alarmed(world.stranger), await alarmed(third)];
    await act(c.id, "acknowledge");
    await runDurableObjectAlarm(monitorOf(third));
    expect(ids(await list())).toEqual([c.id, b.id, a.id]);
    expect(ids(await list("sort=raised"))).toEqual([a.id, b.id, c.id]);
    expect(ids(await list(`patient_id=${world.patient.id}`))).toEqual([a.id]);
    expect(ids(await list(`ward_id=${ward}`))).toEqual([b.id]);
    expect(ids(await list("state=active"))).toEqual([b.id, a.id]);
    expect(ids(await list("priority=low"))).toEqual([]);
    expect(ids(await list("rule=limit&code=8867-4&open=true"))).toEqual([c.id, b.id, a.id]);
    expect(ids(await list("rule=silence"))).toEqual([]);
    const [{ raised_at }] = (await readJson(await sendRequest(`${API}/alerts?state=acknowledged`, { as: world.nurse }))).data;
    expect(ids(await list(`from=${raised_at}`))).toEqual([c.id]);
    expect(ids(await list(`to=${raised_at}`))).toEqual([b.id, a.id]);
    expect(ids(await list("", world.doctor))).toEqual([a.id]);
    expect(ids(await list(`hospital_id=${world.hospitalId}`, world.admin))).toEqual([c.id, b.id, a.id]);

    const reported = { samples: [heart(0)], conditions: ["leads_off"] };
    expect((await sendRequest(`${API}/observations`, { as: a.device, json: reported })).status).toBe(200);
    await runDurableObjectAlarm(monitorOf(world.patient));
    expect(await list(`device_id=${a.device.id}`)).toMatchObject([{ rule: "technical", priority: "low" }]);
    expect(await list("priority=low")).toHaveLength(1);

    const answer = await sendRequest(`${API}/alerts?priority=high&limit=2`, { as: world.nurse });
    const { data, meta } = await readJson(answer);
    expect(meta.pagination).toMatchObject({ total: 3, has_more: true });
    const rest = await list(`priority=high&limit=2&cursor=${meta.pagination.next_cursor}`);
    expect(ids([...data, ...rest])).toEqual([c.id, b.id, a.id]);
    const [event] = await traceOf(answer);
    expect(event).toMatchObject({ event: "alert.list" });
    expect([...(event?.subjects ?? [])].sort()).toEqual([world.stranger.id, third.id].sort());
    expect((await sendRequest(`${API}/alerts?status=active`, { as: world.nurse })).status).toBe(400);
    expect(
      (await sendRequest(`${API}/alerts?priority=high&cursor=${meta.pagination.next_cursor}`, { as: world.manager })).status,
    ).toBe(400);
  });

  it("of open alerts is found by the index of open ones, of a patient by the patient's", async () => {
    const plan = async (where: string) => {
      // biome-ignore lint/plugin: constants of this test.
      const rows = await env.DB.prepare(
        `EXPLAIN QUERY PLAN SELECT id FROM alerts WHERE ${where} ORDER BY raised_at DESC, id DESC LIMIT 21`,
      ).all();
      return rows.results.map(({ detail }) => detail).join("; ");
    };
    expect(await plan("hospital_id = 'h' AND state <> 'cleared'")).toContain("alerts_open");
    expect(await plan("hospital_id = 'h'")).toContain("alerts_hospital");
    expect(await plan("+hospital_id = 'h' AND patient_id = 'p'")).toContain("alerts_patient");
  });
});
