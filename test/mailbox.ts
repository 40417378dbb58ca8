// What arrives in a mailbox: the MIME that the stand-in of the mail service composed (stand-ins/mail-service.mjs), read with postal-mime.
import { env } from "cloudflare:workers";
import PostalMime, { type Email } from "postal-mime";
import { expect } from "vitest";
import { eventually } from "./eventually.ts";

export type Mail = Email & {
  /** The MIME itself. */
  raw: string;
  /** The first absolute link of the text part. */
  link: string | null;
  /** The token in the fragment of the link. */
  token: string | null;
  header(name: string): string | undefined;
};

async function parse(bytes: Uint8Array): Promise<Mail> {
  const mail = await PostalMime.parse(bytes);
  const link = /https?:\/\/\S+/.exec(mail.text ?? "")?.[0] ?? null;
  return {
    ...mail,
    raw: new TextDecoder().decode(bytes),
    link,
    token: link?.split("#token=")[1] ?? null,
    header: (name) => mail.headers.find(({ key }) => key === name.toLowerCase())?.value,
  };
}

/** What has arrived for an address so far, oldest first. */
export async function mailsTo(address: string): Promise<Mail[]> {
  return Promise.all((await env.MAILBOX.arrived(address)).map(parse));
}

/** Waits for at least `count` mails to an address; the newest. */
export async function mailTo(address: string, count = 1): Promise<Mail> {
  return eventually(async () => {
    const mails = await mailsTo(address);
    expect(mails.length).toBeGreaterThanOrEqual(count);
    const newest = mails.at(-1);
    if (!newest) throw new Error("no mail");
    return newest;
  });
}

/** What happens to the next mails to an address: an error code of the service, `hang`, `lost` after it was taken over, or `ok`. */
export async function behave(address: string, ...next: string[]): Promise<void> {
  await env.MAILBOX.behave(address, next);
}
