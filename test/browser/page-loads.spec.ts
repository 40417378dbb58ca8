// A full load of each page: how many requests it costs, which a person has only so many of, and that all its times are in the
// hospital's zone, whatever the browser's is.
import type { Page, Request, Response, WebSocket } from "@playwright/test";
import { patiently } from "./extent.ts";
import { createPageGuard } from "./page-guard.ts";
import { test as base, expect, newContext, shown, signIn, waitForPage } from "./portal.ts";
import { createPortalContent, PORTAL_PAGES, type PortalContent, type Who } from "./portal-pages.ts";
import { nextFrames } from "./probe.ts";

/** Of the ward board, and of every other page, by HTTP; the live view has one connection besides. */
const MAX_REQUESTS = { ward: 6, other: 8 } as const;
/** Pages that cost more, and how much. Numbers only fall, and a page that has fallen to the limit leaves the list. */
const OVER_LIMIT: Readonly<Record<string, number>> = {
  admin: 19,
  // The number of requests that wait is read again when a notification arrives, as those of the test do.
  me: 9,
  "patient-limits": 9,
  "patient-timeline": 9,
};

const HOSPITAL_ZONE = "Asia/Kolkata";
const BROWSER_ZONE = "America/New_York";

type Visits = { content: PortalContent; startedAt: number; pageAs: (who: Who) => Promise<Page> };

const test = base.extend<object, { visits: Visits }>({
  visits: [
    async ({ browser, world }, use, { project }) => {
      const startedAt = Date.now();
      const content = await createPortalContent(world);
      const signs = createPageGuard(world.names);
      const pages = new Map<Who, Page>();
      const open = async (who: Who): Promise<Page> => {
        const context = await newContext(browser, signs, { ...shown(project.use), timezoneId: BROWSER_ZONE });
        const login = content.logins[who];
        if (login) await signIn(context.request, login);
        return context.newPage();
      };
      await use({
        content,
        startedAt,
        async pageAs(who) {
          const page = pages.get(who) ?? (await open(who));
          pages.set(who, page);
          return page;
        },
      });
      for (const page of pages.values()) await page.context().close();
    },
    { scope: "worker", timeout: patiently(180_000) },
  ],
});

/** Animation frames in which nothing was asked, after which a load is over. */
const QUIET_FRAMES = 40;

const UNREAD_COUNT = "GET /notifications/unread-count";

/**
 * Requests to the API from the start of a load until the page is shown and nothing is asked or awaited any more. The count that the bell
 * asks for when a message arrives meanwhile is no part of the load.
 */
async function listRequestsOfLoad(page: Page, path: string): Promise<string[]> {
  const requests: string[] = [];
  const open = new Set<Request>();
  let messages = 0;
  const onSocket = (socket: WebSocket) =>
    socket.on("framereceived", ({ payload }) => {
      if (String(payload).includes('"type":"notifications"')) messages += 1;
    });
  const onRequest = (request: Request) => {
    const { pathname, search } = new URL(request.url());
    if (!pathname.startsWith("/api/")) return;
    requests.push(`${request.method()} ${pathname.replace("/api/v1", "")}${search}`);
    open.add(request);
  };
  // A request whose response nobody reads, as of a refusal, never finishes.
  const onResponse = (response: Response) => void open.delete(response.request());
  const onFailure = (request: Request) => void open.delete(request);
  await page.goto("about:blank");
  page.on("request", onRequest).on("response", onResponse).on("requestfailed", onFailure).on("websocket", onSocket);
  await page.goto(path);
  await waitForPage(page);
  for (let seen = -1; seen !== requests.length || open.size > 0; ) {
    seen = requests.length;
    await nextFrames(page, QUIET_FRAMES);
  }
  page.off("request", onRequest).off("response", onResponse).off("requestfailed", onFailure).off("websocket", onSocket);
  return requests.filter((request) => request !== UNREAD_COUNT || messages-- <= 0);
}

/** What a reader sees, and what a screen reader says. */
const textOf = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const labels = [...document.querySelectorAll("[aria-label], [title], [aria-valuetext]")].flatMap((element) =>
      ["aria-label", "title", "aria-valuetext"].map((name) => element.getAttribute(name) ?? ""),
    );
    // biome-ignore lint/performance/useDomNodeTextContent: hidden text is not read, and lines keep cells apart.
    return [document.body.innerText, ...labels].join("\n");
  });

/** "21:34" of each minute in a zone. */
function minutesIn(zone: string, from: number, to: number): Set<string> {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const minutes = new Set<string>();
  for (let at = from; at < to + 60_000; at += 60_000) minutes.add(format.format(at));
  return minutes;
}

/** Times of the last minutes, in which all of the hospital's data was made, on another zone's clock; and names of other zones. */
function findForeignTimes(text: string, from: number, to: number): string[] {
  const own = minutesIn(HOSPITAL_ZONE, from, to);
  const foreign = new Set([BROWSER_ZONE, "UTC"].flatMap((zone) => [...minutesIn(zone, from, to)]));
  // Whole hours are on axes.
  const times = [...text.matchAll(/(?<!\d|:)(\d\d:\d\d)(?=:\d\d|(?!\d|:))/g)].map(([, time = ""]) => time);
  const zones = text.match(/\b(GMT|UTC|EST|EDT)\b[+-]?\d*/g) ?? [];
  return [...times.filter((time) => !time.endsWith(":00") && foreign.has(time) && !own.has(time)), ...zones];
}

for (const { name, as, path } of PORTAL_PAGES) {
  test(name, async ({ visits }) => {
    const page = await visits.pageAs(as);
    const requests = await listRequestsOfLoad(page, path(visits.content.ids));
    const limit = OVER_LIMIT[name] ?? (name === "ward" ? MAX_REQUESTS.ward : MAX_REQUESTS.other);
    expect(requests.length, requests.join("\n")).toBeLessThanOrEqual(limit);
    // Platform administrators have no hospital, so their times are in the browser's zone.
    if (as === "nobody" || as === "platform") return;
    await expect(page.getByRole("banner").locator("abbr")).toHaveText("IST");
    // The patient's record has been there for longer: only its zone names can be told.
    const from = as === "patient" ? Date.now() : visits.startedAt;
    expect(findForeignTimes(await textOf(page), from, as === "patient" ? 0 : Date.now())).toEqual([]);
  });
}

test("every page over the limit is one that exists, and is over it", () => {
  for (const [name, requests] of Object.entries(OVER_LIMIT)) {
    expect(PORTAL_PAGES.map((page) => page.name)).toContain(name);
    expect(requests).toBeGreaterThan(name === "ward" ? MAX_REQUESTS.ward : MAX_REQUESTS.other);
  }
});

test("a time of another zone, and a zone's name, are found", () => {
  const now = Date.parse("2026-11-21T09:34:00Z");
  expect(findForeignTimes("at 15:04 IST, 15:04:10, 6 h", now, now)).toEqual([]);
  expect(findForeignTimes("since 04:34:05", now, now)).toEqual(["04:34"]);
  expect(findForeignTimes("21 Nov 2026, 09:34 UTC", now, now)).toEqual(["09:34", "UTC"]);
});
