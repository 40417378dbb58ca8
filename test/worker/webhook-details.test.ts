// Clinical details in stored bodies of webhooks: sent only while the webhook has include_data, and to a new address only after a step-up.
import { expect, it } from "vitest";
import { expectProblem } from "../token-forge.ts";
import { API, env, findEvents, newPdf, newWorld, readJson, sendRequest, uploadReport } from "../world.ts";
import { deliver, newReceiver, newWebhook, readDelivery } from "./webhook-world.ts";

/** A webhook whose receiver has answered one delivery of a report, and requests of its administrator. */
async function newDelivered(status: number, includesData = true) {
  const clinic = await newWorld();
  const as = clinic.manager;
  const webhook = await newWebhook(as, { include_data: includesData });
  await webhook.answer({ status });
  const about = { patient_id: clinic.patient.id, metrics: '{"heart_rate":71}' };
  await readJson(await uploadReport(clinic.nurse, newPdf(), about));
  const { id } = await readDelivery(webhook.id);
  const eventId = id.slice(0, 36);
  const start = Date.now();
  await deliver(eventId, start);
  const path = `${API}/webhooks/${webhook.id}`;
  return {
    webhook,
    retry: () => deliver(eventId, start + 60_000),
    setStatus: (name: string) =>
      env.DB.prepare("UPDATE deliveries SET status = ?2, next_attempt_at = NULL WHERE id = ?1").bind(id, name).run(),
    signedInAt: (time: number) =>
      env.DB.prepare("UPDATE sessions SET authenticated_at = ?2 WHERE user_id = ?1").bind(as.id, time).run(),
    change: (json: object) => sendRequest(path, { as, method: "PATCH", json, headers: { "If-Match": "*" } }),
    resend: () => sendRequest(`${path}/deliveries/${eventId}/resend`, { as, method: "POST" }),
    resendAny: () => sendRequest(`${API}/notifications/deliveries/${id}/resend`, { as, method: "POST" }),
    releases: async () => (await findEvents({ event: "webhook.deliver", hospital_id: clinic.hospitalId })).length,
    details: async () => (await webhook.received()).map(({ body }) => JSON.parse(body).data.details?.heart_rate),
  };
}

it("a waiting retry has no details once include_data is withdrawn, also when it is given again", async () => {
  const { webhook, retry, change, releases, details, resend, setStatus } = await newDelivered(500);
  expect((await change({ include_data: false })).status).toBe(200);
  await webhook.answer({ status: 204 });
  await retry();
  expect(await details()).toEqual([71, undefined]);
  const [first, second] = await webhook.received();
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  expect(Object.keys(JSON.parse(second?.body ?? "").data)).toEqual(["hospital_id", "report_id", "patient_id"]);
  expect((await change({ include_data: true })).status).toBe(200);
  await setStatus("accepted");
  expect((await resend()).status).toBe(202);
  await retry();
  expect((await webhook.received())[2]?.body).toBe(second?.body);
  expect(await releases()).toBe(1);
});

it("a body without details is sent again with the same bytes after include_data was given", async () => {
  const { webhook, retry, change, resend, signedInAt } = await newDelivered(204, false);
  expect((await change({ include_data: true })).status).toBe(200);
  await signedInAt(1);
  expect((await resend()).status).toBe(202);
  await retry();
  const [first, second] = await webhook.received();
  expect(second?.body).toBe(first?.body);
});

it("a resend of a body with details needs a recent sign-in on both routes, and is audited", async () => {
  const { retry, resend, resendAny, setStatus, signedInAt, releases, details } = await newDelivered(204);
  for (const [i, send] of [resend, resendAny].entries()) {
    await setStatus("failed");
    await signedInAt(1);
    await expectProblem(await send(), 401, "step_up_required");
    await signedInAt(Date.now());
    expect((await send()).status).toBe(202);
    await retry();
    expect(await releases()).toBe(2 + i);
  }
  expect(await details()).toEqual([71, 71, 71]);
});

it("stored details go to no other address without a recent sign-in, and to none after they were withdrawn", async () => {
  const { retry, resend, change, signedInAt, details } = await newDelivered(204);
  const other = newReceiver();
  await signedInAt(1);
  await expectProblem(await change({ include_data: false, url: other.url }), 401, "step_up_required");
  expect((await change({ include_data: false })).status).toBe(200);
  await expectProblem(await change({ url: other.url }), 401, "step_up_required");
  await expectProblem(await resend(), 401, "step_up_required");
  await signedInAt(Date.now());
  expect((await change({ url: other.url })).status).toBe(200);
  expect((await resend()).status).toBe(202);
  await retry();
  expect(await details()).toEqual([71]);
  expect((await other.received()).map(({ body }) => JSON.parse(body).data.details)).toEqual([undefined]);
  await signedInAt(1);
  // No body has details any more.
  expect((await change({ url: newReceiver().url })).status).toBe(200);
});
