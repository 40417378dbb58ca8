// Who may go where, in the order in which it is shown. The API decides what is seen; this only keeps dead ends out of sight.
import type { PlainKey } from "../messages/index.ts";
import type { Role } from "../session/use-session.ts";

type Place = { to: string; label: PlainKey };

const ADMIN: readonly Place[] = [
  { to: "/admin", label: "nav.overview" },
  { to: "/admin/users", label: "nav.users" },
  { to: "/admin/practitioners", label: "nav.practitioners" },
  { to: "/admin/hospitals", label: "nav.hospitals" },
  { to: "/admin/devices", label: "nav.devices" },
  { to: "/reports", label: "nav.reports" },
  { to: "/uploads", label: "nav.uploads" },
  { to: "/admin/rules", label: "nav.rules" },
  { to: "/admin/api-keys", label: "nav.api_keys" },
  { to: "/admin/audit", label: "nav.audit" },
  { to: "/admin/health", label: "nav.health" },
];

const PLACES: Record<Role, readonly Place[]> = {
  nurse: [
    { to: "/ward", label: "nav.ward" },
    { to: "/alarms", label: "nav.alarms" },
    { to: "/patients", label: "nav.patients" },
    { to: "/uploads", label: "nav.uploads" },
  ],
  doctor: [
    { to: "/patients", label: "nav.patients" },
    { to: "/alarms", label: "nav.alarms" },
    { to: "/reports", label: "nav.reports" },
  ],
  hospital_admin: ADMIN,
  admin: ADMIN,
  patient: [
    { to: "/me", label: "nav.home" },
    { to: "/me/reports", label: "nav.reports" },
    { to: "/me/vitals", label: "nav.vitals" },
    { to: "/me/devices", label: "nav.devices" },
    { to: "/me/access", label: "nav.access" },
  ],
};

const LANDING: Record<Role, string> = {
  nurse: "/ward",
  doctor: "/patients",
  hospital_admin: "/admin",
  admin: "/admin",
  patient: "/me",
};

export const placesOf = (role: Role) => PLACES[role];
export const landingOf = (role: Role): string => LANDING[role];
/** How many are tabs at the foot of a phone; the rest is behind "More". */
export const TABS = 4;

/** Whether this page is for this role at all. */
export function isFor(role: Role, path: string): boolean {
  const area = path.split("/")[1] ?? "";
  if (area === "account" || area === "") return true;
  if (area === "me") return role === "patient";
  if (role === "patient") return false;
  if (area === "admin") return role === "admin" || role === "hospital_admin";
  return ["ward", "alarms", "patients", "reports", "uploads", "devices"].includes(area);
}
