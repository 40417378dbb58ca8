// Mail of accounts as it arrives: from the request through the queue to the mailbox, and the link back.
import { expect, it } from "vitest";
import { setVerified } from "../letters.ts";
import { mailsTo, mailTo } from "../mailbox.ts";
import { API, newHospital, newPerson, PASSWORD, readJson, sendRequest, uniqueText } from "../world.ts";

const PHRASE = "lanterns over seven hills";
const send = (path: string, json: object, as?: { token: string }) => sendRequest(`${API}${path}`, { json, ...(as && { as }) });

it("registration, a forgotten password and a change of the address need nothing but the mailbox", async () => {
  const [email, moved] = [`${uniqueText()}@example.org`, `${uniqueText()}@example.org`];
  const { data } = await readJson(await send("/auth/register", { email, password: PASSWORD, full_name: "Meera Iyer" }));
  const first = await mailTo(email);
  expect(first.link).toContain("/verify-email#token=ecv_");
  expect((await send("/auth/email/verify", { token: first.token })).status).toBe(200);

  await send("/auth/password/forgot", { email });
  const reset = await mailTo(email, 2);
  expect(reset.link).toContain("/reset#token=ecp_");
  expect((await send("/auth/password/reset", { token: reset.token, new_password: PHRASE })).status).toBe(200);
  await mailTo(email, 3);

  const session = await readJson(await send("/auth/login", { email, password: PHRASE }));
  const as = { token: session.data.access_token };
  expect((await send("/auth/email/change", { email: moved, password: PHRASE }, as)).status).toBe(200);
  const change = await mailTo(moved);
  expect(change.link).toContain("/verify-email#token=ece_");
  expect((await send("/auth/email/verify", { token: change.token })).status).toBe(200);
  // The former address is told, and the person at the new one.
  expect((await mailTo(email, 4)).token).toBeNull();
  await mailTo(moved, 2);
  expect((await readJson(await sendRequest(`${API}/auth/me`, { as }))).data).toMatchObject({
    email: moved,
    user_id: data.user_id,
  });
});

it("invitations and managers' links arrive too; an unverified address gets no reset link", async () => {
  const manager = await newPerson("hospital_admin", await newHospital());
  const email = `${uniqueText()}@example.org`;
  const invited = await readJson(await send("/users/invite", { email, role: "nurse" }, manager));
  expect((await mailTo(email)).token).toBe(invited.data.token);
  const accept = { token: invited.data.token, password: PHRASE, full_name: "Nila Rao" };
  const { data } = await readJson(await send("/auth/invitations/accept", accept));
  await mailTo(email, 2);
  const issue = () => sendRequest(`${API}/users/${data.user_id}/password-reset`, { as: manager, method: "POST" });
  expect((await issue()).status).toBe(201);
  await setVerified(data.user_id);
  const issued = await readJson(await issue());
  expect((await mailTo(email, 3)).token).toBe(issued.data.token);
  expect(await mailsTo(email)).toHaveLength(3);
});
