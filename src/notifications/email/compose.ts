// Text and HTML of a mail. Contains no user's text: words of the kind, a time and a link.
import { html } from "hono/html";
import type { Priority } from "../kinds.ts";
import { textOf } from "../text.ts";
import type { TextLanguage } from "../texts/kind-text.ts";

type Content = {
  kind: string;
  priority: Priority;
  language: TextLanguage;
  /** Absolute; null for a mail without a link. */
  url: string | null;
  /** Where the person chooses which messages arrive; null for mail that cannot be switched off. */
  settingsUrl: string | null;
  /** When it happened, epoch milliseconds. */
  at: number;
  /** IANA name; null: UTC. */
  timeZone: string | null;
};

const WORDS = {
  en: {
    open: "Open EdgeCare",
    settings: "Choose which messages you get",
    footer: "EdgeCare sends this message automatically. Replies are not read.",
  },
  hi: {
    open: "EdgeCare खोलें",
    settings: "चुनें कि आपको कौन से संदेश मिलें",
    footer: "यह संदेश EdgeCare अपने आप भेजता है। उत्तर पढ़े नहीं जाते।",
  },
} as const;

/** A stored zone may be newer than the runtime's list: then in UTC. */
function formatTime(at: number, timeZone: string | null, language: TextLanguage): string {
  const format = (zone: string) =>
    new Intl.DateTimeFormat(language === "hi" ? "hi-IN" : "en-GB", {
      timeZone: zone,
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "short",
    }).format(at);
  try {
    return format(timeZone ?? "UTC");
  } catch {
    return format("UTC");
  }
}

export async function composeMail(content: Content): Promise<{ subject: string; text: string; html: string }> {
  const { kind, priority, language, url, settingsUrl, at, timeZone } = content;
  const { title, sentence } = textOf(kind, language, priority);
  const words = WORDS[language];
  const time = formatTime(at, timeZone, language);
  const settings = settingsUrl === null ? [] : [`${words.settings}: ${settingsUrl}`];
  const text = [sentence, ...(url === null ? [] : [url]), time, ["--", words.footer, ...settings].join("\n")].join("\n\n");
  const page = html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>
<body style="margin:0;padding:24px;font-family:system-ui,sans-serif;font-size:16px;line-height:1.5;color:#1a1a1a;background:#ffffff">
<h1 style="font-size:20px;margin:0 0 12px">${title}</h1>
<p style="margin:0 0 16px">${sentence}</p>
${
  url === null
    ? ""
    : html`<p style="margin:0 0 8px"><a href="${url}" style="color:#0b5394;font-weight:600">${words.open}</a></p>
<p style="margin:0 0 16px;font-size:13px;word-break:break-all">${url}</p>`
}
<p style="margin:0 0 16px;color:#555555">${time}</p>
<p style="margin:0;font-size:13px;color:#555555">${words.footer}${settingsUrl === null ? "" : html`<br><a href="${settingsUrl}" style="color:#555555">${words.settings}</a>`}</p>
</body></html>`;
  return { subject: title, text: `${text}\n`, html: (await page).toString() };
}
