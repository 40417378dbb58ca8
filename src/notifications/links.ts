// Where in the portal a notification leads to. Imports nothing: the portal bundles it too.

/** @param refs ids of the notification  @returns a path of the portal, which begins with a slash */
export function portalPathOf(kind: string, refs: Readonly<Record<string, string | number>>): string {
  const alertId = refs["alert_id"];
  if (kind.startsWith("alert.")) return typeof alertId === "string" ? `/alarms/${encodeURIComponent(alertId)}` : "/alarms";
  if (kind === "notification.test") return "/account/notifications";
  if (kind.startsWith("account.")) return "/account";
  return "/";
}
