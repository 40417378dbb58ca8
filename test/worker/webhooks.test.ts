// Webhooks of a hospital: registration, secrets shown once, addresses that are refused, and who may send data.
import { beforeAll, describe, expect, it, vi } from "vitest";
import { expectProblem } from "../token-forge.ts";
import { API, env, findEvents, newPerson, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { createWebhook, deliver, newReceiver, newWebhook, publish, readDelivery } from "./webhook-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const URL_OF_HOSPITAL = "https://his.example.org/edgecare";

/** Answers of DNS over HTTPS, in the order of the checks; everything else goes to the network. */
function stubNames(...answers: string[][]) {
  const real = globalThis.fetch;
  const check = { index: 0 };
  return vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.hostname !== "cloudflare-dns.com") return real(input, init);
    const type = url.searchParams.get("type");
    const addresses = answers[Math.floor(check.index++ / 2)] ?? [];
    const records = addresses.map((data) => ({ type: data.includes(":") ? 28 : 1, data }));
    const cname = { type: 5, data: "alias.example.org." };
    const answer = [cname, ...records.filter((record) => record.type === (type === "A" ? 1 : 28))];
    return Promise.resolve(Response.json({ Status: 0, Answer: answer }));
  });
}

describe("a webhook", () => {
  it("is created, read, changed, switched off and deleted by the hospital's administrators", async () => {
    const as = world.manager;
    const created = await createWebhook(as, URL_OF_HOSPITAL, {
      description: "laboratory",
      events: ["alert.raised", "report.created"],
    });
    expect(created.status).toBe(201);
    const { data } = await readJson(created);
    expect(data).toMatchObject({ hospital_id: world.hospitalId, url: URL_OF_HOSPITAL, is_active: true, include_data: false });
    expect(data.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const path = `${API}/webhooks/${data.webhook_id}`;
    const read = await sendRequest(path, { as });
    const etag = read.headers.get("etag") ?? "";
    const text = await read.text();
    expect(text).not.toContain("whsec_");
    const change = { as, method: "PATCH", json: { events: ["alert.cleared"], is_active: false } };
    await expectProblem(await sendRequest(path, change), 428, "precondition_required");
    await expectProblem(await sendRequest(path, { ...change, headers: { "If-Match": '"7"' } }), 412, "precondition_failed");
    const changed = await readJson(await sendRequest(path, { ...change, headers: { "If-Match": etag } }));
    expect(changed.data).toMatchObject({ events: ["alert.cleared"], is_active: false, disabled_reason: "person", version: 2 });
    const on = await readJson(await sendRequest(`${path}/enable`, { as, method: "POST" }));
    expect(on.data).toMatchObject({ is_active: true, disabled_reason: null, disabled_at: null });
    expect((await sendRequest(path, { as, method: "DELETE" })).status).toBe(200);
    await expectProblem(await sendRequest(path, { as }), 404, "not_found");
    const names = ["create", "read", "update", "enable", "delete"].map((name) => `webhook.${name}`);
    for (const event of names) {
      const events = await findEvents({ event, hospital_id: world.hospitalId });
      expect(
        events.filter(({ outcome }) => outcome === "success"),
        event,
      ).toHaveLength(1);
    }
  });

  it("is created once per Idempotency-Key, and its secret is shown once", async () => {
    const { manager } = await newWorld();
    const send = () =>
      sendRequest(`${API}/webhooks`, {
        as: manager,
        json: { url: URL_OF_HOSPITAL, events: ["report.created"] },
        headers: { "Idempotency-Key": "webhook-key-1" },
      });
    const [first, second] = [await readJson(await send()), await readJson(await send())];
    expect(second.data.webhook_id).toBe(first.data.webhook_id);
    expect([typeof first.data.secret, second.data.secret]).toEqual(["string", null]);
  });

  it("leaves no address, description or secret in clear", async () => {
    const { manager } = await newWorld();
    const json = { url: "https://his.example.org/canary-url", description: "canary-text", events: ["report.created"] };
    const { data } = await readJson(await sendRequest(`${API}/webhooks`, { as: manager, json }));
    const rotated = await readJson(
      await sendRequest(`${API}/webhooks/${data.webhook_id}/rotate-secret`, { as: manager, method: "POST" }),
    );
    const stored = JSON.stringify((await env.DB.prepare("SELECT * FROM webhooks").all()).results);
    for (const text of ["canary", "whsec_", data.secret.slice(6), rotated.data.secret.slice(6)])
      expect(stored).not.toContain(text);
  });

  it("is out of sight of other hospitals", async () => {
    const webhook = await newWebhook((await newWorld()).manager);
    for (const path of ["", "/deliveries"])
      await expectProblem(await sendRequest(`${API}/webhooks/${webhook.id}${path}`, { as: world.manager }), 404, "not_found");
    for (const action of ["test", "enable", "rotate-secret"]) {
      const response = await sendRequest(`${API}/webhooks/${webhook.id}/${action}`, { as: world.manager, method: "POST" });
      await expectProblem(response, 404, "not_found");
    }
  });

  it("has at most two secrets that sign, of which the last replaced one ends after a day", async () => {
    const { manager } = await newWorld();
    const { id } = await newWebhook(manager);
    const rotate = () => sendRequest(`${API}/webhooks/${id}/rotate-secret`, { as: manager, method: "POST" });
    const [, second] = [await readJson(await rotate()), await readJson(await rotate())];
    const endsIn = Date.parse(second.data.former_secret_ends_at) - Date.now();
    expect(endsIn).toBeGreaterThan(23 * 3_600_000);
    expect(endsIn).toBeLessThanOrEqual(24 * 3_600_000);
  });

  it.each([
    "http://his.example.org/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://[::ffff:10.0.0.1]/",
    "https://localhost/",
    "https://his.example.org:22/",
  ])("refuses the address %s", async (url) => {
    const response = await createWebhook(world.manager, url);
    expect((await readJson(response.clone())).errors[0].path).toBe("url");
    await expectProblem(response, 400, "invalid_request");
  });

  it("refuses a name that resolves to a private address, and one that has none", async () => {
    const names = stubNames(["93.184.215.14", "10.0.0.1"], []);
    try {
      for (const code of ["address", "unresolved"]) {
        const response = await createWebhook(world.manager, "https://public.example.net/");
        expect((await readJson(response)).errors).toMatchObject([{ path: "url", code }]);
      }
    } finally {
      names.mockRestore();
    }
  });

  it("is registered with a name that is public, and gets nothing once the name is private", async () => {
    const { manager, hospitalId } = await newWorld();
    const names = stubNames(["93.184.215.14"], ["169.254.169.254"]);
    try {
      const { data } = await readJson(await createWebhook(manager, "https://rebinding.example.net/"));
      await deliver(await publish(hospitalId));
      expect(await readDelivery(data.webhook_id)).toMatchObject({ status: "waiting", attempts: 1, answer_status: null });
      const asked = names.mock.calls.map(([input]) => new URL(input instanceof Request ? input.url : String(input)).hostname);
      expect(asked).not.toContain("rebinding.example.net");
      expect(asked.filter((host) => host === "cloudflare-dns.com")).toHaveLength(4);
    } finally {
      names.mockRestore();
    }
  });

  it("is tested through the queue, and the log shows the answer", async () => {
    const { manager } = await newWorld();
    const webhook = await newWebhook(manager);
    await webhook.answer({ status: 200, body: "thank you" });
    const sent = await sendRequest(`${API}/webhooks/${webhook.id}/test`, { as: manager, method: "POST" });
    expect(sent.status).toBe(202);
    await deliver((await readJson(sent)).data.message_id);
    const log = async () => (await readJson(await sendRequest(`${API}/webhooks/${webhook.id}/deliveries`, { as: manager }))).data;
    await expect
      .poll(log)
      .toMatchObject([{ type: "webhook.test", status: "accepted", answer_status: 200, answer_text: "thank you" }]);
    expect(JSON.parse((await webhook.received())[0]?.body ?? "")).toMatchObject({
      type: "webhook.test",
      data: { webhook_id: webhook.id },
    });
  });

  it("lists deliveries page by page", async () => {
    const { manager, hospitalId } = await newWorld();
    const webhook = await newWebhook(manager);
    const events: string[] = [];
    for (let i = 0; i < 5; i++) events.unshift(await publish(hospitalId));
    const seen: string[] = [];
    let cursor = "";
    do {
      const path = `${API}/webhooks/${webhook.id}/deliveries?limit=2${cursor && `&cursor=${cursor}`}`;
      const { data, meta } = await readJson(await sendRequest(path, { as: manager }));
      seen.push(...data.map(({ message_id }: { message_id: string }) => message_id));
      cursor = meta.pagination.next_cursor ?? "";
    } while (cursor);
    expect(seen).toEqual(events.toSorted().reverse());
  });

  it("is resent only when it has ended", async () => {
    const { manager, hospitalId } = await newWorld();
    const webhook = await newWebhook(manager);
    const path = (event: string) => `${API}/webhooks/${webhook.id}/deliveries/${event}/resend`;
    const event = await publish(hospitalId);
    await expectProblem(await sendRequest(path(event), { as: manager, method: "POST" }), 409, "conflict");
    await expectProblem(await sendRequest(path(webhook.id), { as: manager, method: "POST" }), 404, "not_found");
  });

  it("needs a recent sign-in to send clinical data, and to send them elsewhere", async () => {
    const { manager } = await newWorld();
    const withData = await newWebhook(manager, { include_data: true });
    await env.DB.prepare("UPDATE sessions SET authenticated_at = 1 WHERE user_id = ?").bind(manager.id).run();
    const change = (json: object) =>
      sendRequest(`${API}/webhooks/${withData.id}`, { as: manager, method: "PATCH", json, headers: { "If-Match": "*" } });
    await expectProblem(await createWebhook(manager, newReceiver().url, { include_data: true }), 401, "step_up_required");
    await expectProblem(await change({ url: newReceiver().url }), 401, "step_up_required");
    expect((await createWebhook(manager, newReceiver().url)).status).toBe(201);
    await expectProblem(await change({ include_data: false, url: newReceiver().url }), 401, "step_up_required");
    expect((await change({ include_data: false })).status).toBe(200);
    await expectProblem(await change({ include_data: true }), 401, "step_up_required");
  });

  it("of one's own hospital belongs to administrators alone", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    await expectProblem(await createWebhook(nurse, newReceiver().url), 403, "forbidden");
    await expectProblem(await sendRequest(`${API}/webhooks`, { as: nurse }), 403, "forbidden");
  });
});
