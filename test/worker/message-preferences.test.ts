// Preferences of messages: what is on by default, by choice, and by rule of kind and hospital; settings; tests of a channel.
import { describe, expect, it } from "vitest";
import { getKeys } from "../../src/platform/config.ts";
import { sealValue } from "../../src/platform/crypto.ts";
import { listNotices } from "../letters.ts";
import { API, env, newHospital, newPerson, type Person, readJson, sendRequest } from "../world.ts";
import { newBrowser } from "./push-service.ts";

type Shown = { kind: string; channels: { channel: string; is_on: boolean; rule: string | null }[] };

const get = async (person: Person, path: string) => (await readJson(await sendRequest(API + path, { as: person }))).data;
const put = (person: Person, choices: object[]) =>
  sendRequest(`${API}/notification-preferences`, { as: person, method: "PUT", json: { choices } });
const stateOf = async (person: Person, kind: string, channel: string) => {
  const { kinds } = await get(person, "/notification-preferences");
  const { is_on, rule } = kinds
    .find((one: Shown) => one.kind === kind)
    .channels.find((one: { channel: string }) => one.channel === channel);
  return { is_on, rule };
};
const requireChannels = (person: Person, hospitalId: string, required: object[]) =>
  sendRequest(`${API}/hospitals/${hospitalId}/required-channels`, { as: person, method: "PUT", json: { required } });

async function newStaff() {
  const hospitalId = await newHospital();
  return { hospitalId, nurse: await newPerson("nurse", hospitalId), manager: await newPerson("hospital_admin", hospitalId) };
}

describe("channels per kind", () => {
  it("have defaults, which choices replace and which come back", async () => {
    const { nurse } = await newStaff();
    expect(await stateOf(nurse, "alert.raised", "push")).toEqual({ is_on: true, rule: null });
    expect(await stateOf(nurse, "alert.raised", "sms")).toEqual({ is_on: false, rule: null });
    const choices = [
      { kind: "alert.raised", channel: "push", is_on: false },
      { kind: "alert.raised", channel: "sms", is_on: true },
    ];
    expect((await put(nurse, choices)).status).toBe(200);
    expect(await stateOf(nurse, "alert.raised", "push")).toEqual({ is_on: false, rule: null });
    expect(await stateOf(nurse, "alert.raised", "sms")).toEqual({ is_on: true, rule: null });
    expect((await put(nurse, [])).status).toBe(200);
    expect(await stateOf(nurse, "alert.raised", "push")).toEqual({ is_on: true, rule: null });
  });

  it("cannot be switched off where the account's security needs them", async () => {
    const { nurse } = await newStaff();
    expect(await stateOf(nurse, "account.password_changed", "email")).toEqual({ is_on: true, rule: "fixed" });
    const refused = await put(nurse, [{ kind: "account.password_changed", channel: "email", is_on: false }]);
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors[0].path).toBe("choices.0.is_on");
    expect((await put(nurse, [{ kind: "account.password_changed", channel: "email", is_on: true }])).status).toBe(200);
    expect((await put(nurse, [{ kind: "notification.test", channel: "email", is_on: true }])).status).toBe(400);
  });

  it("cannot be switched off where the hospital requires them of the role", async () => {
    const { hospitalId, nurse, manager } = await newStaff();
    const off = { kind: "alert.raised", channel: "push", is_on: false };
    expect((await put(nurse, [off])).status).toBe(200);
    expect((await requireChannels(manager, hospitalId, [{ role: "nurse", channel: "push" }])).status).toBe(200);
    expect(await stateOf(nurse, "alert.raised", "push")).toEqual({ is_on: true, rule: "required" });
    expect(await stateOf(manager, "alert.raised", "push")).toEqual({ is_on: true, rule: null });
    expect((await put(nurse, [off])).status).toBe(400);
    expect((await put(manager, [off])).status).toBe(200);
    expect(await stateOf(nurse, "account.password_changed", "push")).toEqual({ is_on: true, rule: null });
    expect((await requireChannels(manager, hospitalId, [])).status).toBe(200);
    expect(await stateOf(nurse, "alert.raised", "push")).toEqual({ is_on: false, rule: null });
  });

  it("are named once", async () => {
    const { nurse } = await newStaff();
    const choice = { kind: "alert.raised", channel: "push", is_on: true };
    expect((await put(nurse, [choice, choice])).status).toBe(400);
    expect(
      (
        await put(
          nurse,
          Array.from({ length: 40 }, () => choice),
        )
      ).status,
    ).toBe(400);
  });
});

describe("settings", () => {
  const patch = (person: Person, json: unknown, version: number | "*" = "*") =>
    sendRequest(`${API}/notification-settings`, {
      as: person,
      method: "PATCH",
      json,
      headers: { "If-Match": version === "*" ? "*" : `"${version}"` },
    });

  it("have defaults, a version per change, and keep what a change does not name", async () => {
    const { nurse } = await newStaff();
    expect(await get(nurse, "/notification-settings")).toEqual({
      language: "en",
      time_zone: null,
      quiet_hours: null,
      version: 1,
    });
    expect((await patch(nurse, { language: "hi" }, 1)).status).toBe(200);
    expect((await patch(nurse, { language: "en" }, 1)).status).toBe(412);
    const quiet_hours = { from: "22:05", until: "06:00" };
    expect((await patch(nurse, { quiet_hours, time_zone: "Asia/Kolkata" }, 2)).status).toBe(200);
    expect(await get(nurse, "/notification-settings")).toEqual({
      language: "hi",
      time_zone: "Asia/Kolkata",
      quiet_hours,
      version: 3,
    });
    expect((await patch(nurse, { quiet_hours: null }, 3)).status).toBe(200);
    expect(await get(nurse, "/notification-settings")).toMatchObject({ quiet_hours: null, time_zone: "Asia/Kolkata" });
  });

  it("are changed once by two first changes of one version", async () => {
    const { nurse } = await newStaff();
    const sent = await Promise.all(Array.from({ length: 8 }, () => patch(nurse, { language: "hi" }, 1)));
    expect(sent.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(sent.filter(({ status }) => status === 412)).toHaveLength(7);
    const any = await Promise.all(Array.from({ length: 4 }, () => patch(nurse, { language: "en" })));
    expect(any.every(({ status }) => status === 200)).toBe(true);
    expect((await get(nurse, "/notification-settings")).version).toBe(6);
  });

  it.each([
    {},
    { language: "fr" },
    { time_zone: "+05:30" },
    { time_zone: "Mars/Olympus" },
    { time_zone: "../../etc/passwd" },
    { quiet_hours: { from: "24:00", until: "06:00" } },
    { quiet_hours: { from: "22:00", until: "22:00" } },
    { quiet_hours: { from: "22:00" } },
    { quiet_hours: { from: "9:00", until: "06:00" } },
    { phone: "+91 98765 43210" },
  ])("refuse %o", async (json) => {
    const { nurse } = await newStaff();
    expect((await patch(nurse, json)).status).toBe(400);
  });
});

describe("tests of a channel", () => {
  const test = (person: Person, channel: string) =>
    sendRequest(`${API}/notification-settings/test`, { as: person, json: { channel } });
  const deliveries = async (person: Person) =>
    (await env.DB.prepare("SELECT channel, kind, hospital_id FROM deliveries WHERE user_id = ?").bind(person.id).all()).results;

  it("go over this channel alone, to each browser, and only where the person can be reached", async () => {
    const { nurse } = await newStaff();
    for (const channel of ["email", "push", "sms"]) expect((await test(nurse, channel)).status).toBe(409);
    expect(await deliveries(nurse)).toEqual([]);
    for (const { subscription } of [newBrowser(), newBrowser()])
      await sendRequest(`${API}/push/subscriptions`, { as: nurse, json: subscription });
    await env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id = ?").bind(nurse.id).run();
    const sent = await test(nurse, "push");
    expect(sent.status).toBe(202);
    expect((await readJson(sent)).data).toMatchObject({ channel: "push", deliveries: 2 });
    const row = { channel: "push", kind: "notification.test", hospital_id: null };
    expect(await deliveries(nurse)).toEqual([row, row]);
    expect(await listNotices(nurse.id)).not.toContain("notification.test");
  });

  it("are at most twenty per channel and day", async () => {
    const { nurse } = await newStaff();
    await env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id = ?").bind(nurse.id).run();
    const sent = await Promise.all(Array.from({ length: 25 }, () => test(nurse, "email")));
    expect(sent.filter(({ status }) => status === 202)).toHaveLength(20);
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([202, 409]));
    expect((await test(nurse, "email")).status).toBe(409);
  });
});

describe("a hospital", () => {
  it("finds the active members whom no channel tells of a new alarm", async () => {
    const { hospitalId, nurse, manager } = await newStaff();
    const others = await Promise.all(Array.from({ length: 5 }, () => newPerson("doctor", hospitalId)));
    const [mailed, pushed, phoned, ended, silenced] = others.map(({ id }) => id);
    const keys = await getKeys(env);
    const sealed = await sealValue(keys.fields, { table: "push_subscriptions", column: "subscription", id: "p" }, {});
    await env.DB.batch([
      env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id IN (?, ?)").bind(mailed, silenced),
      env.DB.prepare("INSERT INTO notification_choices VALUES (?, 'alert.raised', 'email', 0)").bind(silenced),
      env.DB.prepare("INSERT INTO notification_choices VALUES (?, 'alert.raised', 'sms', 1)").bind(phoned),
      env.DB.prepare("INSERT INTO push_subscriptions VALUES (?, ?, ?, ?, 1, 1)").bind(`p${pushed}`, pushed, `i${pushed}`, sealed),
      env.DB.prepare("INSERT INTO notification_settings (user_id, phone_verified_at, updated_at) VALUES (?, 1, 1)").bind(phoned),
      env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(ended),
    ]);
    const list = await sendRequest(`${API}/hospitals/${hospitalId}/unreachable-members`, { as: manager });
    const { data } = await readJson(list);
    expect(data.map((one: { user_id: string }) => one.user_id)).toEqual([nurse.id, manager.id, silenced].sort());
    expect(Object.keys(data[0]).sort()).toEqual(["full_name", "role", "user_id"]);
  });

  it("keeps who required a channel first", async () => {
    const { hospitalId, manager } = await newStaff();
    const second = await newPerson("hospital_admin", hospitalId);
    await requireChannels(manager, hospitalId, [{ role: "nurse", channel: "push" }]);
    const both = [
      { role: "nurse", channel: "push" },
      { role: "nurse", channel: "email" },
    ];
    const { data } = await readJson(await requireChannels(second, hospitalId, both));
    expect(data.required.map((one: { channel: string; set_by: string }) => [one.channel, one.set_by])).toEqual([
      ["email", second.id],
      ["push", manager.id],
    ]);
  });
});
