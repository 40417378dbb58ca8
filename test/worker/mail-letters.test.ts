// Mail with a link: to which address it goes, what its link opens, and when it is not sent any more.
import { beforeAll, describe, expect, it } from "vitest";
import { sealLinkAddress } from "../../src/access/link-addresses.ts";
import { deriveOneTimeToken, hashOneTimeToken } from "../../src/access/one-time-tokens.ts";
import { emailChannel } from "../../src/notifications/email/email-channel.ts";
import type { LetterKind } from "../../src/notifications/kinds.ts";
import { textOf } from "../../src/notifications/text.ts";
import type { TextLanguage } from "../../src/notifications/texts/kind-text.ts";
import { getKeys } from "../../src/platform/config.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { channelCall, dumpTables, newLetter, setLanguage } from "../deliveries.ts";
import { mailsTo, mailTo } from "../mailbox.ts";
import { API, env, newHospital, newPerson, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

const HOUR_MS = 3_600_000;
let manager: Person;

beforeAll(async () => {
  manager = await newPerson("hospital_admin", await newHospital());
});

/** A row of `email_links`. @returns its id and address */
async function newEmailLink(user: Person, purpose: "verify" | "change" | "former", expiresAt = Date.now() + HOUR_MS) {
  const keys = await getKeys(env);
  const id = uuidv7();
  const address = `new-${uniqueText()}@example.org`;
  const kind = purpose === "verify" ? "email_verification" : "email_change";
  const hash = await hashOneTimeToken(keys, kind, await deriveOneTimeToken(keys, kind, id));
  await env.DB.prepare("INSERT INTO email_links VALUES (?, ?, ?, ?, 'index', ?, 1, ?, ?)")
    .bind(id, hash, user.id, purpose, await sealLinkAddress(keys, id, address), expiresAt, purpose === "former" ? 1 : null)
    .run();
  return { id, address };
}

async function newPasswordReset(user: Person, expiresAt = Date.now() + HOUR_MS) {
  const keys = await getKeys(env);
  const id = uuidv7();
  const hash = await hashOneTimeToken(keys, "password_reset", await deriveOneTimeToken(keys, "password_reset", id));
  await env.DB.prepare("INSERT INTO password_resets VALUES (?, ?, 'test', 1, ?, NULL)").bind(hash, user.id, expiresAt).run();
  return { id, address: user.email };
}

async function newInvitation() {
  const address = `new-${uniqueText()}@example.org`;
  const json = { email: address, full_name: "Ravi Kumar", role: "nurse" };
  const { data } = await readJson(await sendRequest(`${API}/users/invite`, { as: manager, json }));
  return { id: data.invitation_id as string, address, url: data.url as string };
}

async function send(kind: LetterKind, targetId: string, userId: string | null, refs = {}) {
  return emailChannel.send(await channelCall(), await newLetter(kind, targetId, userId, refs));
}

describe("a letter", () => {
  it.each<TextLanguage>(["en", "hi"])("goes in %s to the address that its link is about", async (language) => {
    const user = await newPerson("patient");
    await setLanguage(user.id, language);
    const cases = [
      ["letter.email_verification", await newEmailLink(user, "verify"), "/verify-email#token=ecv_"],
      ["letter.email_change", await newEmailLink(user, "change"), "/verify-email#token=ece_"],
      ["letter.password_reset", await newPasswordReset(user), "/reset#token=ecp_"],
    ] as const;
    for (const [kind, { id, address }, page] of cases) {
      expect(await send(kind, id, user.id)).toMatchObject({ result: "accepted" });
      const mail = await mailTo(address);
      expect(mail.subject).toBe(textOf(kind, language).title);
      expect(mail.text).toContain(textOf(kind, language).sentence);
      expect(mail.link).toContain(`https://edgecare.test${page}${id}_`);
      expect(mail.html).toContain(`href="${mail.link}"`);
      expect(mail.header("list-unsubscribe")).toBeUndefined();
      expect(mail.raw).not.toContain(user.username);
    }
  });

  it("contains a token that the service accepts", async () => {
    const user = await newPerson("patient");
    const { id } = await newPasswordReset(user);
    await env.DB.prepare("UPDATE password_resets SET created_by = ?2 WHERE user_id = ?1")
      .bind(user.id, (await newPerson("admin")).id)
      .run();
    await send("letter.password_reset", id, user.id);
    const json = { token: (await mailTo(user.email)).token, new_password: "lanterns over seven hills" };
    expect((await sendRequest(`${API}/auth/password/reset`, { json })).status).toBe(200);
  });

  it("of an invitation has the link that the inviting person sees", async () => {
    const { id, address, url } = await newInvitation();
    expect(await send("letter.invitation", id, null)).toMatchObject({ result: "accepted" });
    const mail = await mailTo(address);
    expect(mail.link).toBe(url);
    expect(JSON.stringify(mail)).not.toContain("Ravi");
    const hindi = await newInvitation();
    await send("letter.invitation", hindi.id, null, { language: "hi" });
    expect((await mailTo(hindi.address)).subject).toBe(textOf("letter.invitation", "hi").title);
  });

  it("tells the former address of a change, without a link", async () => {
    const user = await newPerson("patient");
    const { id, address } = await newEmailLink(user, "former");
    expect(await send("letter.email_changed", id, user.id)).toMatchObject({ result: "accepted" });
    expect((await mailTo(address)).link).toBeNull();
    expect(await mailsTo(user.email)).toHaveLength(0);
  });
});

describe("a letter is cancelled", () => {
  const past = Date.now() - 1;

  it("once its link has expired", async () => {
    const user = await newPerson("patient");
    const link = await newEmailLink(user, "verify", past);
    expect(await send("letter.email_verification", link.id, user.id)).toEqual({ result: "cancelled" });
    expect(await send("letter.password_reset", (await newPasswordReset(user, past)).id, user.id)).toEqual({
      result: "cancelled",
    });
    const invitation = await newInvitation();
    await env.DB.prepare("UPDATE invitations SET expires_at = ?2 WHERE id = ?1").bind(invitation.id, past).run();
    expect(await send("letter.invitation", invitation.id, null)).toEqual({ result: "cancelled" });
    expect(await mailsTo(link.address)).toHaveLength(0);
  });

  it("once its link was used or revoked", async () => {
    const user = await newPerson("patient");
    const link = await newEmailLink(user, "change");
    await env.DB.prepare("UPDATE email_links SET used_at = 1 WHERE id = ?").bind(link.id).run();
    expect(await send("letter.email_change", link.id, user.id)).toEqual({ result: "cancelled" });
    const reset = await newPasswordReset(user);
    await env.DB.prepare("UPDATE password_resets SET used_at = 1 WHERE user_id = ?").bind(user.id).run();
    expect(await send("letter.password_reset", reset.id, user.id)).toEqual({ result: "cancelled" });
    const invitation = await newInvitation();
    await sendRequest(`${API}/users/invitations/${invitation.id}`, { as: manager, method: "DELETE" });
    expect(await send("letter.invitation", invitation.id, null)).toEqual({ result: "cancelled" });
  });

  it("whose row is of another purpose, of another kind or nowhere", async () => {
    const user = await newPerson("patient");
    const { id } = await newEmailLink(user, "change");
    expect(await send("letter.email_verification", id, user.id)).toEqual({ result: "cancelled" });
    expect(await send("letter.password_reset", id, user.id)).toEqual({ result: "cancelled" });
    expect(await send("letter.invitation", uuidv7(), null)).toEqual({ result: "cancelled" });
  });

  it("of an account that is inactive", async () => {
    const user = await newPerson("patient");
    const { id } = await newPasswordReset(user);
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(user.id).run();
    expect(await send("letter.password_reset", id, user.id)).toEqual({ result: "cancelled" });
  });
});

describe("the rows of a letter", () => {
  it("have no address and no token in the clear", async () => {
    const user = await newPerson("patient");
    const { id, address } = await newEmailLink(user, "verify");
    await send("letter.email_verification", id, user.id);
    const { token } = await mailTo(address);
    const rows = await dumpTables("email_links", "deliveries");
    expect(rows).toContain(id);
    expect(rows).not.toContain(address);
    expect(rows).not.toContain(token);
  });
});
