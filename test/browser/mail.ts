// The mail that the server under test has sent, as `wrangler dev` keeps it.
import { expect } from "@playwright/test";
import { productUrl } from "./product.ts";

type Mail = { to: string[]; subject: string; text: string | null; messageId: string };

async function readMails(query: string) {
  const response = await fetch(`${productUrl()}/cdn-cgi/local/explorer/api/local/email/sending?${query}`);
  return (await response.json()).result;
}

/** Waits for a mail to this address with a link to a page, such as `/reset`. @returns the link of the newest one */
export async function waitForMailedLink(address: string, path: string): Promise<string> {
  let link = "";
  const findLink = async () => {
    const listed: Mail[] = await readMails("per_page=100");
    for (const { messageId } of listed.filter(({ to }) => to.includes(address))) {
      const { text }: Mail = await readMails(`email_id=${encodeURIComponent(messageId)}`);
      link = text?.match(new RegExp(`\\S+${path}#token=\\S+`))?.[0] ?? "";
      if (link !== "") break;
    }
    return link;
  };
  await expect.poll(findLink, `a mail with a link to ${path}`).not.toBe("");
  return link;
}
