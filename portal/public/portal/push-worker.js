// Service worker of Web Push: shows messages and opens what they lead to. Its scope is /portal/, so that it controls no page; it
// handles no requests and caches nothing. The payload is that of src/notifications/push/push-channel.ts.

/** A path of the portal: never an address of another site, whatever the message says. */
const toPath = (path) => (typeof path === "string" && /^\/(?![/\\])[\w\-/.?=&%]*$/.test(path) ? path : "/");

function readMessage(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => {
  // Browsers require a notification for each message, also for one that cannot be read.
  const { title = "EdgeCare", body = "", event_id, lang = "en", priority, path } = event.data ? readMessage(event.data) : {};
  event.waitUntil(
    self.registration.showNotification(String(title), {
      body: String(body),
      lang: lang === "hi" ? "hi" : "en",
      // A repeat of an event replaces its notification without a sound.
      ...(event_id && { tag: String(event_id) }),
      requireInteraction: priority === "alarm",
      icon: "/portal/icon-192.png",
      badge: "/portal/badge-96.png",
      data: { path: toPath(path) },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPath(toPath(event.notification.data?.path)));
});

/** In a window that shows the portal, which then goes there by itself (push.ts), else in a new one. */
async function openPath(path) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const [visible = windows[0]] = windows.filter(({ visibilityState }) => visibilityState === "visible");
  if (!visible) return self.clients.openWindow(path);
  visible.postMessage({ kind: "open", path });
  return visible.focus().catch(() => undefined);
}

// The portal registers the new subscription when it is opened next: this worker has no access token.
self.addEventListener("pushsubscriptionchange", (event) => {
  const options = event.oldSubscription?.options;
  if (options && !event.newSubscription) event.waitUntil(self.registration.pushManager.subscribe(options));
});
