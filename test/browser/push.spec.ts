// Web Push from the switch to the notification: the browser's `subscribe`, which needs a push service on the internet, is replaced by
// a subscription with real keys at a local service; its decrypted message is handed to the real service worker.
import { createECDH, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Page } from "@playwright/test";
import ece from "http_ece";
import { type Login, logIn } from "./api.ts";
import { WHOLE_BROWSER } from "./chromium.ts";
import { expect, signIn, type Tools, test, waitForPage } from "./portal.ts";
import { productUrl } from "./product.ts";

test.use({ launchOptions: { executablePath: process.env["CHROMIUM"] ?? WHOLE_BROWSER, args: ["--no-sandbox"] } });
test.skip(!process.env["PUSH_TEST_ORIGINS"], "the server was started without a local push service");

const ORIGIN = process.env["PUSH_TEST_ORIGINS"]?.split(",")[0] ?? "";
/** Of portal/src/notifications/preferences/push.ts. */
const OWNER_KEY = "edgecare.push";

/** One browser's subscription, with its private keys. */
function newSubscription() {
  const ecdh = createECDH("prime256v1");
  const auth = randomBytes(16);
  const subscription = {
    endpoint: `${ORIGIN}/send/${randomBytes(8).toString("hex")}`,
    keys: { p256dh: ecdh.generateKeys().toString("base64url"), auth: auth.toString("base64url") },
  };
  return { subscription, ecdh, auth };
}

/** A push service for one browser. */
async function startPushService() {
  const { subscription, ecdh, auth } = newSubscription();
  const messages: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const params = { version: "aes128gcm", privateKey: ecdh, authSecret: auth.toString("base64url") } as const;
    messages.push(ece.decrypt(Buffer.concat(chunks), params).toString("utf8"));
    response.writeHead(201).end();
  });
  server.listen(Number(new URL(ORIGIN).port), "127.0.0.1");
  await once(server, "listening");
  return { subscription, messages, stop: () => new Promise((resolve) => server.close(resolve)) };
}

type Subscription = ReturnType<typeof newSubscription>["subscription"];

/** Where the tab keeps it. */
const TEST_KEY = "test.push";

/** What `subscribe` made is kept by the tab, as the browser would keep it. */
const replaceSubscribe = (page: Page, subscription: Subscription) =>
  page.addInitScript(
    ([made, KEY]) => {
      const toSubscription = (key: string) => ({
        endpoint: made.endpoint,
        options: { applicationServerKey: Uint8Array.from(atob(key), (character) => character.charCodeAt(0)).buffer },
        toJSON: () => made,
        // The way to a push service takes its time: a page that is left meanwhile has not ended the subscription.
        unsubscribe: async () => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          sessionStorage.removeItem(KEY);
          return true;
        },
      });
      const replacement = {
        subscribe: async ({ applicationServerKey }: { applicationServerKey: Uint8Array }) => {
          const key = btoa(String.fromCharCode(...applicationServerKey));
          sessionStorage.setItem(KEY, key);
          return toSubscription(key);
        },
        getSubscription: async () => {
          const key = sessionStorage.getItem(KEY);
          return key === null ? null : toSubscription(key);
        },
      };
      Object.assign(PushManager.prototype, replacement);
    },
    [subscription, TEST_KEY] as const,
  );

const hasSubscription = (page: Page) => page.evaluate((key) => sessionStorage.getItem(key) !== null, TEST_KEY);

/** Opens the person's settings and switches push on. */
async function openWithPush(open: Tools["open"], person: Login, subscription: Subscription): Promise<Page> {
  const page = await open(person, {
    path: "/account/notifications",
    context: { permissions: ["notifications"] },
    before: (opened) => replaceSubscribe(opened, subscription),
  });
  await waitForPage(page);
  await expect(page.getByText("Push is off in this browser.")).toBeVisible();
  await page.getByRole("button", { name: "Switch push on" }).click();
  await expect(page.getByText("Push is on in this browser.")).toBeVisible();
  return page;
}

async function signOut(page: Page): Promise<void> {
  await page.goto("/account");
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await expect(page).toHaveURL(/\/login/);
}

/** Hands a message to the service worker as a push service would. */
async function deliver(page: Page, data: string): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL.endsWith("/portal/"));
      if (found) resolve(found.registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  await devtools.send("ServiceWorker.deliverPushMessage", { origin: new URL(productUrl()).origin, registrationId, data });
}

const shownNotifications = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/portal/");
    const notifications = (await registration?.getNotifications()) ?? [];
    return notifications.map(({ title, body, tag, data }) => ({ title, body, tag, path: data?.path }));
  });

test("a test message travels from the switch to a notification, and sign-out ends push", async ({ open, nurse }) => {
  const service = await startPushService();
  try {
    const page = await openWithPush(open, nurse, service.subscription);
    await page.getByRole("button", { name: "Send test by Push" }).click();
    await expect(page.getByText("On its way: Push.")).toBeVisible();
    await expect.poll(() => service.messages.length).toBe(1);
    const [message = ""] = service.messages;
    const { event_id } = JSON.parse(message);
    expect(message).not.toContain(nurse.email);
    const expected = { title: "Test message", tag: event_id, path: "/account/notifications" };
    await expect(async () => {
      await deliver(page, message);
      expect(await shownNotifications(page)).toEqual([expect.objectContaining(expected)]);
    }).toPass();
    await deliver(page, message);
    await expect.poll(() => shownNotifications(page)).toHaveLength(1);
    const api = await logIn(nurse);
    expect((await api.ask("/push/subscriptions")).data.subscriptions).toHaveLength(1);
    await signOut(page);
    expect(await hasSubscription(page)).toBe(false);
    await expect.poll(async () => (await api.ask("/push/subscriptions")).data.subscriptions).toEqual([]);
  } finally {
    await service.stop();
  }
});

test("sign-out ends push in the browser while the service does not answer", async ({ open, nurse }) => {
  const page = await openWithPush(open, nurse, newSubscription().subscription);
  await page.route("**/api/v1/push/subscriptions", () => undefined);
  await signOut(page);
  expect(await hasSubscription(page)).toBe(false);
  expect(await page.evaluate((key) => localStorage.getItem(key), OWNER_KEY)).toBeNull();
});

for (const owner of ["another", "no"] as const)
  test(`a subscription with ${owner} owner is ended when somebody else signs in`, async ({ open, nurse, world }) => {
    const page = await openWithPush(open, nurse, newSubscription().subscription);
    await page.reload();
    await expect(page.getByText("Push is on in this browser.")).toBeVisible();
    if (owner === "no") await page.evaluate((key) => localStorage.removeItem(key), OWNER_KEY);
    await page.goto("about:blank");
    await page.context().clearCookies();
    await signIn(page.context().request, await world.newPerson("doctor"));
    await page.goto("/account/notifications");
    await expect(page.getByText("Push is off in this browser.")).toBeVisible();
    await expect.poll(() => hasSubscription(page)).toBe(false);
    expect(await page.evaluate((key) => localStorage.getItem(key), OWNER_KEY)).toBeNull();
  });

test("a message that points to another site opens the portal", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/account/notifications", context: { permissions: ["notifications"] } });
  await waitForPage(page);
  await page.evaluate(() => navigator.serviceWorker.register("/portal/push-worker.js", { scope: "/portal/" }));
  for (const [i, path] of ["https://example.com/", "//example.com/", "/\\example.com", "javascript:alert(1)"].entries())
    await deliver(page, JSON.stringify({ event_id: `e${i}`, title: "T", path }));
  await deliver(page, "not JSON");
  await expect.poll(async () => (await shownNotifications(page)).map(({ path }) => path)).toEqual(["/", "/", "/", "/", "/"]);
});

test("says that the browser does not allow push where it refuses to subscribe", async ({ open, nurse }) => {
  const page = await open(nurse, {
    path: "/account/notifications",
    context: { permissions: ["notifications"] },
    before: (opened) =>
      opened.addInitScript(() => {
        const refuse = () => Promise.reject(new DOMException("permission denied", "NotAllowedError"));
        Object.assign(PushManager.prototype, { subscribe: refuse });
      }),
  });
  await waitForPage(page);
  await page.getByRole("button", { name: "Switch push on" }).click();
  await expect(page.getByRole("status").filter({ hasText: "private window does not allow push messages" })).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("says on an iPhone that the portal must be on the home screen first", async ({ open, nurse }) => {
  const page = await open(nurse, {
    path: "/account/notifications",
    context: {
      userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
    },
    before: (opened) => opened.addInitScript(() => Reflect.deleteProperty(window, "PushManager")),
  });
  await waitForPage(page);
  await expect(page.getByText(/add the portal to the home screen/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Switch push on" })).toHaveCount(0);
});

test("a channel is switched by keyboard, and quiet hours are kept", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/account/notifications" });
  await waitForPage(page);
  const change = page.getByRole("switch", { name: "New alarm by Push" });
  await expect(change).toBeChecked();
  await change.focus();
  await page.keyboard.press("Space");
  await expect(change).not.toBeChecked();
  await expect(page.getByRole("switch", { name: "Password changed by E-mail" })).toBeDisabled();
  await page.getByRole("switch", { name: "Quiet hours" }).focus();
  await page.keyboard.press("Space");
  await page.getByLabel("Until").fill("05:30");
  await page.getByRole("button", { name: "Save" }).click();
  await page.reload();
  await waitForPage(page);
  await expect(page.getByLabel("Until")).toHaveValue("05:30");
  await expect(page.getByRole("switch", { name: "New alarm by Push" })).not.toBeChecked();
});
