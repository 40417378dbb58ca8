// The stand-in of the mail service refuses what the documents of Cloudflare's Email Service refuse.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { behave, mailsTo, mailTo } from "../mailbox.ts";

const FROM = { email: "notices@edgecare.test", name: "EdgeCare" };
const newAddress = () => `${crypto.randomUUID()}@example.org`;
const send = (change: object) =>
  env.MAIL.send({ from: FROM, to: newAddress(), subject: "Notice", text: "Text", ...change } as EmailMessageBuilder).then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? "no code",
  );

describe("the stand-in of the mail service", () => {
  it("keeps MIME that a parser reads back", async () => {
    const to = newAddress();
    const { messageId } = await env.MAIL.send({
      from: FROM,
      to,
      subject: "नया अलर्ट",
      text: "देखने के लिए https://edgecare.test/alarms",
      html: "<p>देखने के लिए</p>",
      headers: { "Auto-Submitted": "auto-generated", "X-Entity-Ref-ID": "1" },
    });
    const mail = await mailTo(to);
    expect(mail.subject).toBe("नया अलर्ट");
    expect(mail.from).toEqual({ address: "notices@edgecare.test", name: "EdgeCare" });
    expect(mail.to?.[0]?.address).toBe(to);
    expect(mail.text).toContain("देखने के लिए");
    expect(mail.html).toContain("<p>देखने के लिए</p>");
    expect(mail.messageId).toBe(`<${messageId}>`);
    expect(mail.header("auto-submitted")).toBe("auto-generated");
    expect(mail.link).toBe("https://edgecare.test/alarms");
  });

  it.each<[string, object]>([
    ["E_FIELD_MISSING", { subject: "" }],
    ["E_VALIDATION_ERROR", { to: "not an address" }],
    ["E_VALIDATION_ERROR", { to: "पता@उदाहरण.भारत" }],
    ["E_VALIDATION_ERROR", { subject: "Notice\r\nBcc: other@example.org" }],
    ["E_SENDER_NOT_VERIFIED", { from: { email: "notices@example.org", name: "EdgeCare" } }],
    ["E_TOO_MANY_RECIPIENTS", { to: Array.from({ length: 51 }, newAddress) }],
    ["E_CONTENT_TOO_LARGE", { text: "x".repeat(5 * 1024 * 1024 + 1) }],
    ["E_HEADER_NOT_ALLOWED", { headers: { "Message-ID": "<1@edgecare.test>" } }],
    ["E_HEADER_NOT_ALLOWED", { headers: { "Idempotency-Key": "1" } }],
    ["E_HEADER_USE_API_FIELD", { headers: { Bcc: "other@example.org" } }],
    ["E_HEADER_NAME_INVALID", { headers: { "X-Bad Header": "1" } }],
    ["E_HEADER_VALUE_INVALID", { headers: { "X-Id": "1\r\nBcc: other@example.org" } }],
    ["E_HEADER_VALUE_INVALID", { headers: { "List-Unsubscribe": "<http://edgecare.test>" } }],
    ["E_HEADER_VALUE_TOO_LONG", { headers: { "X-Id": "x".repeat(2049) } }],
    ["E_HEADERS_TOO_LARGE", { headers: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, "x".repeat(2000)])) }],
  ])("answers %s to %j", async (code, change) => {
    expect(await send(change)).toBe(code);
  });

  it("answers as a test wants, once each", async () => {
    const to = newAddress();
    await behave(to, "E_RATE_LIMIT_EXCEEDED", "lost");
    expect(await send({ to })).toBe("E_RATE_LIMIT_EXCEEDED");
    expect(await mailsTo(to)).toHaveLength(0);
    expect(await send({ to })).toBe("no code");
    expect(await mailsTo(to)).toHaveLength(1);
    expect(await send({ to })).toBe("accepted");
  });
});
