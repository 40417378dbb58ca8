// Mail of notifications: what arrives, in which language, and what becomes of each answer of the mail service.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Delivery } from "../../src/notifications/channel.ts";
import { consume } from "../../src/notifications/delivery/consume.ts";
import { emailChannel } from "../../src/notifications/email/email-channel.ts";
import { NOTIFICATION_KINDS, type NotificationKind, ruleOf } from "../../src/notifications/kinds.ts";
import { textOf } from "../../src/notifications/text.ts";
import type { TextLanguage } from "../../src/notifications/texts/kind-text.ts";
import { getKeys } from "../../src/platform/config.ts";
import { sealValue } from "../../src/platform/crypto.ts";
import { channelCall, dumpTables, newNotice, setLanguage, verifyEmail } from "../deliveries.ts";
import { behave, mailsTo, mailTo } from "../mailbox.ts";
import { env, newHospital, newPatient, newPerson, type Patient, type Person } from "../world.ts";

const ALERT = "01970000-0000-7000-8000-000000000001";
let nurse: Person;
let patient: Patient;

async function newRecipient(language: TextLanguage = "en", timeZone: string | null = null): Promise<Person> {
  const person = await newPerson("patient");
  await verifyEmail(person.id);
  await setLanguage(person.id, language, timeZone);
  return person;
}

async function mailOf(person: Person, kind: NotificationKind, refs = {}): Promise<Delivery> {
  const delivery = await newNotice("email", { kind, userId: person.id, refs });
  if (!delivery) throw new Error("no delivery was written");
  return delivery;
}

async function setAddress(person: Person, email: string): Promise<void> {
  const profile = { email, username: null, full_name: "Asha\r\nBcc: other@example.org <script>" };
  const sealed = await sealValue((await getKeys(env)).fields, { table: "users", column: "profile", id: person.id }, profile);
  await env.DB.prepare("UPDATE users SET profile_sealed = ?2 WHERE id = ?1").bind(person.id, sealed).run();
}

beforeAll(async () => {
  const hospitalId = await newHospital();
  nurse = await newPerson("nurse", hospitalId);
  await verifyEmail(nurse.id);
  patient = await newPatient(hospitalId, nurse);
});

describe("a mail", () => {
  const kinds = Object.keys(NOTIFICATION_KINDS).filter((kind) => kind !== "notification.test") as NotificationKind[];
  const languages: TextLanguage[] = ["en", "hi"];

  it.each(languages)("says in %s what happened and where to look, for every kind", async (language) => {
    await Promise.all(
      kinds.map(async (kind) => {
        const person = await newRecipient(language);
        const delivery = await mailOf(person, kind, { alert_id: ALERT });
        expect(await emailChannel.send(await channelCall(), delivery)).toMatchObject({ result: "accepted" });
        const mail = await mailTo(person.email);
        const { title, sentence } = textOf(kind, language, ruleOf(kind).priority);
        expect(mail.subject).toBe(title);
        expect(mail.text).toContain(sentence);
        expect(mail.html).toContain(`<html lang="${language}">`);
        expect(mail.html).toContain(title);
        expect(mail.link).toBe(kind.startsWith("alert.") ? `https://edgecare.test/alarms/${ALERT}` : mail.link);
        expect(mail.link).toMatch(/^https:\/\/edgecare\.test\//);
        expect(mail.html).toContain(`href="${mail.link}"`);
      }),
    );
  });

  it("carries nothing of a patient, and no name", async () => {
    const refs = { alert_id: ALERT, patient_id: patient.id, priority: "high", tier: 1 };
    await emailChannel.send(await channelCall(), await mailOf(nurse, "alert.raised", refs));
    const mail = await mailTo(nurse.email);
    const everything = JSON.stringify({ ...mail, raw: undefined }) + mail.raw;
    for (const word of [patient.canary, patient.id, nurse.username, nurse.id, "Name "]) expect(everything).not.toContain(word);
    expect(mail.raw.split(nurse.email)).toHaveLength(2);
  });

  it("is recognizable as automatic, and as a repetition", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "alert.raised", { alert_id: ALERT });
    const call = await channelCall();
    await emailChannel.send(call, delivery);
    await emailChannel.send(call, delivery);
    const [first, second] = await mailsTo(person.email);
    expect(first?.header("auto-submitted")).toBe("auto-generated");
    expect(first?.header("importance")).toBe("high");
    expect(first?.header("references")).toBe(`<${delivery.eventId}@edgecare.test>`);
    expect(second?.header("references")).toBe(first?.header("references"));
    expect(first?.header("list-unsubscribe")).toBe("<https://edgecare.test/account/notifications>");
    expect(first?.header("content-language")).toBe("en");
    const notice = await newRecipient();
    await emailChannel.send(call, await mailOf(notice, "account.password_changed"));
    const mail = await mailTo(notice.email);
    expect(mail.header("list-unsubscribe")).toBeUndefined();
    expect(mail.header("importance")).toBeUndefined();
  });

  it("tells the time where the person is, and UTC in a zone that the runtime does not know", async () => {
    const at = Date.UTC(2026, 10, 30, 18, 45);
    const send = async (zone: string | null) => {
      const person = await newRecipient("en", zone);
      const delivery = await newNotice("email", { kind: "account.new_browser", userId: person.id }, at);
      if (delivery) await emailChannel.send(await channelCall(), delivery);
      return (await mailTo(person.email)).text;
    };
    expect(await send("Asia/Kolkata")).toContain("1 Dec 2026, 00:15");
    expect(await send(null)).toContain("30 Nov 2026, 18:45 UTC");
    expect(await send("Mars/Olympus")).toContain("30 Nov 2026, 18:45 UTC");
  });

  it("goes to an internationalized domain in its ASCII form", async () => {
    const person = await newRecipient();
    await setAddress(person, "asha@उदाहरण.भारत");
    const delivery = await mailOf(person, "account.new_browser");
    expect(await emailChannel.send(await channelCall(), delivery)).toMatchObject({ result: "accepted" });
    expect((await mailTo("asha@xn--p1b6ci4b4b3a.xn--h2brj9c")).to).toHaveLength(1);
  });

  it.each([
    "a@example.org\r\nBcc: b@example.org",
    "a@example.org, b@example.org",
    "A <a@example.org>",
    "a@example.org\u2028",
    "",
  ])("does not go to the stored address %j", async (address) => {
    const person = await newRecipient();
    await setAddress(person, address);
    const before = await bindings.MAILBOX.count();
    const delivery = await mailOf(person, "account.new_browser");
    expect(await emailChannel.send(await channelCall(), delivery)).toMatchObject({ result: "refused" });
    expect(await bindings.MAILBOX.count()).toBe(before);
  });

  it("shows no text of the person, whatever the name is", async () => {
    const person = await newRecipient();
    await setAddress(person, person.email);
    await emailChannel.send(await channelCall(), await mailOf(person, "account.new_browser"));
    const mail = await mailTo(person.email);
    expect(mail.html).not.toContain("<script>");
    expect(mail.text).not.toContain("Asha");
    expect(mail.bcc ?? []).toHaveLength(0);
  });
});

describe("an address", () => {
  it("gets nothing unless it is verified when the mail is sent", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    await env.DB.prepare("UPDATE users SET email_verified_at = NULL WHERE id = ?").bind(person.id).run();
    expect(await emailChannel.send(await channelCall(), delivery)).toEqual({ result: "cancelled" });
    expect(await mailsTo(person.email)).toHaveLength(0);
    expect(await newNotice("email", { kind: "account.new_browser", userId: person.id })).toBeNull();
  });

  it("gets nothing after the person has left", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(person.id).run();
    expect(await emailChannel.send(await channelCall(), delivery)).toEqual({ result: "cancelled" });
  });

  it("is the one that the person has when the mail is sent", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    await setAddress(person, `new-${person.email}`);
    await emailChannel.send(await channelCall(), delivery);
    expect(await mailsTo(person.email)).toHaveLength(0);
    expect(await mailsTo(`new-${person.email}`)).toHaveLength(1);
  });

  it("is in no row in the clear", async () => {
    const person = await newRecipient();
    await emailChannel.send(await channelCall(), await mailOf(person, "account.new_browser"));
    const rows = await dumpTables("users", "deliveries", "notifications", "notification_settings");
    expect(rows).toContain(person.id);
    expect(rows).not.toContain(person.email.split("@")[0]);
  });
});

describe("an answer of the mail service", () => {
  it.each([
    ["E_RATE_LIMIT_EXCEEDED", { result: "failed", retryAfterMs: 60_000 }],
    ["E_DAILY_LIMIT_EXCEEDED", { result: "failed", retryAfterMs: 3_600_000 }],
    ["E_INTERNAL_SERVER_ERROR", { result: "failed" }],
    ["E_DELIVERY_FAILED", { result: "failed" }],
    ["E_SENDER_NOT_VERIFIED", { result: "failed" }],
    ["E_RECIPIENT_SUPPRESSED", { result: "refused" }],
    ["E_RECIPIENT_NOT_ALLOWED", { result: "refused" }],
    ["E_SOMETHING_NEW", { result: "unknown" }],
    ["lost", { result: "unknown" }],
  ])("%s becomes %j", async (behaviour, outcome) => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    await behave(person.email, behaviour);
    expect(await emailChannel.send(await channelCall(), delivery)).toMatchObject(outcome);
  });

  it("that does not come in time is unknown", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    await behave(person.email, "hang");
    const outcome = await emailChannel.send(await channelCall({ signal: AbortSignal.timeout(300) }), delivery);
    expect(outcome).toMatchObject({ result: "unknown", answer: { text: expect.stringContaining("no answer in time") } });
  });

  it("is not waited for once the time is over: nothing is sent", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    const outcome = await emailChannel.send(await channelCall({ signal: AbortSignal.abort() }), delivery);
    expect(outcome).toMatchObject({ result: "failed" });
    expect(await mailsTo(person.email)).toHaveLength(0);
  });
});

describe("the queue", () => {
  it("leads from the rows to the mailbox, once", async () => {
    const person = await newRecipient();
    const { eventId, id } = await mailOf(person, "account.new_browser");
    const batch = { queue: "edgecare-messages", messages: [{ body: { event: eventId } }] } as unknown as MessageBatch;
    await consume(env, batch);
    await consume(env, batch);
    expect(await mailsTo(person.email)).toHaveLength(1);
    const row = await env.DB.prepare("SELECT status, attempts FROM deliveries WHERE id = ?").bind(id).first();
    expect(row).toEqual({ status: "accepted", attempts: 1 });
  });
});

describe("the sender", () => {
  it("must be set in production: else no mail is sent", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    const production = { ...env, ENVIRONMENT: "production", MAIL_FROM: "" } as Env;
    expect(await emailChannel.send(await channelCall({ env: production }), delivery)).toEqual({ result: "cancelled" });
    expect(await mailsTo(person.email)).toHaveLength(0);
  });

  it("must be of a domain that is set up", async () => {
    const person = await newRecipient();
    const delivery = await mailOf(person, "account.new_browser");
    const other = { ...env, MAIL_FROM: "notices@example.com" } as Env;
    expect(await emailChannel.send(await channelCall({ env: other }), delivery)).toMatchObject({ result: "failed" });
  });
});
