// Web Push in this browser: switched on by its person, renewed when the portal opens, removed at sign-out.
import { currentSession, onSignOut, subscribeSession } from "../../accounts/session/session.ts";
import { listPushSubscriptions, readPushKey, registerPushSubscription, removePushSubscription } from "./api.ts";

const WORKER = "/portal/push-worker.js";
/** The worker controls no page. */
const SCOPE = "/portal/";
/** The id of the account that push was switched on for in this browser; kept until its subscription has ended. */
const OWNER_KEY = "edgecare.push";
/** Milliseconds that a sign-out waits for the push service and for the service. */
const SIGN_OUT_MS = 3_000;
const UNCOMPRESSED_KEY_LENGTH = 65;

let isSigningOut = false;

/** `install_first`: Safari on iPhone and iPad has push only in a web app on the home screen. */
export type PushState = "unsupported" | "install_first" | "blocked" | "off" | "on";

const isApplePhone = () =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
const isInstalled = () => matchMedia("(display-mode: standalone)").matches;
const isSupported = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const findRegistration = () => navigator.serviceWorker.getRegistration(SCOPE);

async function findSubscription(): Promise<PushSubscription | null> {
  if (!isSupported()) return null;
  return (await (await findRegistration())?.pushManager.getSubscription()) ?? null;
}

async function toDigest(endpoint: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The row of this browser at the service; undefined without one. */
async function findOwnRow(endpoint: string) {
  const digest = await toDigest(endpoint);
  return (await listPushSubscriptions()).find(({ endpoint_digest }) => endpoint_digest === digest);
}

/** Asks nobody for anything. */
export async function readPushState(): Promise<PushState> {
  if (!isSupported()) return isApplePhone() && !isInstalled() ? "install_first" : "unsupported";
  if (Notification.permission === "denied") return "blocked";
  const subscription = await findSubscription();
  return subscription && Notification.permission === "granted" && (await findOwnRow(subscription.endpoint)) ? "on" : "off";
}

function toBytes(base64Url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64Url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const isSameKey = (key: ArrayBuffer | null | undefined, bytes: Uint8Array) =>
  key?.byteLength === UNCOMPRESSED_KEY_LENGTH && new Uint8Array(key).every((byte, i) => byte === bytes[i]);

/** The browser refuses to subscribe although notifications are allowed, as private windows do. */
class SubscriptionRefused extends Error {}

/** @throws SubscriptionRefused */
const refuse = (cause: unknown): never => {
  throw new SubscriptionRefused("the browser does not subscribe", { cause });
};

/** Subscribes this browser with the service's key, in place of a subscription with another key, and registers it. */
async function subscribe(userId: string, publicKey: string): Promise<void> {
  const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  await untilActive(registration);
  const applicationServerKey = toBytes(publicKey);
  const known = await registration.pushManager.getSubscription();
  if (known && !isSameKey(known.options.applicationServerKey, applicationServerKey)) await known.unsubscribe();
  // First: a subscription without an owner is ended when the portal starts in another tab.
  localStorage.setItem(OWNER_KEY, userId);
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }).catch(refuse);
  // A sign-out that began meanwhile did not find it.
  if (isSigningOut) return endSubscription(subscription);
  const { endpoint, keys } = subscription.toJSON();
  await registerPushSubscription({
    endpoint: endpoint ?? "",
    keys: { p256dh: keys?.["p256dh"] ?? "", auth: keys?.["auth"] ?? "" },
  });
}

/** Forgets the owner last: what a page that closes leaves is ended at the next sign-in of somebody else. */
async function endSubscription(subscription: PushSubscription | null): Promise<void> {
  await subscription?.unsubscribe();
  localStorage.removeItem(OWNER_KEY);
}

/** `ready` would wait forever: it is about a worker that controls the page. */
function untilActive({ active, installing, waiting }: ServiceWorkerRegistration): Promise<void> {
  const worker = installing ?? waiting;
  if (active || !worker) return Promise.resolve();
  return new Promise((resolve) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated" || worker.state === "redundant") resolve();
    });
  });
}

/**
 * Switches push on; the browser asks for permission. Call it from a click alone.
 * @returns the state after the answer  @throws Problem
 */
export async function switchPushOn(userId: string): Promise<PushState | "off_here" | "refused"> {
  const { public_key } = await readPushKey();
  if (public_key === null) return "off_here";
  if ((await Notification.requestPermission()) !== "granted") return readPushState();
  try {
    await subscribe(userId, public_key);
  } catch (error) {
    await findSubscription().then(endSubscription);
    if (error instanceof SubscriptionRefused) return "refused";
    throw error;
  }
  return "on";
}

async function removeOwnRow(endpoint: string): Promise<void> {
  const row = await findOwnRow(endpoint);
  if (row) await removePushSubscription(row.subscription_id);
}

/** Removes this browser at the push service and, at the same time, at the service: neither waits for the other. @throws Problem */
export async function switchPushOff(): Promise<void> {
  const subscription = await findSubscription();
  const results = await Promise.allSettled([
    endSubscription(subscription),
    ...(subscription ? [removeOwnRow(subscription.endpoint)] : []),
  ]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/**
 * A browser shows messages of one person: a subscription that somebody else left, or whose owner is unknown, is ended; the push
 * service then answers 410.
 */
async function renew(userId: string): Promise<void> {
  if (!isSupported()) return;
  const subscription = await findSubscription();
  if (localStorage.getItem(OWNER_KEY) !== userId) return endSubscription(subscription);
  if (Notification.permission !== "granted") return;
  const { public_key } = await readPushKey();
  if (public_key === null) return;
  const isCurrent =
    subscription !== null &&
    isSameKey(subscription.options.applicationServerKey, toBytes(public_key)) &&
    (await findOwnRow(subscription.endpoint)) !== undefined;
  if (!isCurrent) await subscribe(userId, public_key);
}

/** Renews the subscription once per sign-in, and opens what a clicked notification leads to. */
export function watchPush(openPath: (path: string) => void): void {
  let renewedFor: string | null = null;
  const check = () => {
    const session = currentSession();
    if (session.status !== "signed_in" || session.me.user_id === renewedFor) return;
    renewedFor = session.me.user_id;
    // The next start of the portal tries again.
    renew(renewedFor).catch(() => undefined);
  };
  subscribeSession(check);
  check();
  // A push service that does not answer must not hold up the sign-out.
  onSignOut(() => {
    isSigningOut = true;
    return Promise.race([switchPushOff(), new Promise((resolve) => setTimeout(resolve, SIGN_OUT_MS))]);
  });
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.kind === "open" && typeof data.path === "string" && data.path.startsWith("/")) openPath(data.path);
  });
  navigator.serviceWorker.startMessages();
}
