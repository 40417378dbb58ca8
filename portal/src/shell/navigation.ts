// Navigation and page access by role. The API enforces permissions; this only hides dead ends.

import { type PortalArea, rolesOfPath } from "../../../src/service/portal-areas.ts";
import type { Role } from "../accounts/session/use-session.ts";
import type { PlainMessageKey } from "../platform/messages/translate.ts";

type NavigationItem = { to: `/${PortalArea}` | `/${PortalArea}/${string}`; label: PlainMessageKey };

const ADMIN_ITEMS: readonly NavigationItem[] = [
  { to: "/admin", label: "nav.overview" },
  { to: "/admin/users", label: "nav.users" },
  { to: "/admin/practitioners", label: "nav.practitioners" },
  { to: "/admin/hospitals", label: "nav.hospitals" },
  { to: "/admin/devices", label: "nav.devices" },
  { to: "/reports", label: "nav.reports" },
  { to: "/uploads", label: "nav.uploads" },
  { to: "/admin/rules", label: "nav.rules" },
  { to: "/admin/api-keys", label: "nav.api_keys" },
  { to: "/admin/webhooks", label: "nav.webhooks" },
  { to: "/admin/audit", label: "nav.audit" },
  { to: "/admin/deliveries", label: "nav.deliveries" },
  { to: "/admin/retention", label: "nav.retention" },
  { to: "/admin/holds", label: "nav.holds" },
  { to: "/admin/erasures", label: "nav.erasures" },
  { to: "/admin/health", label: "nav.health" },
];

/** For who begins emergency accesses, and who reviews them. */
const EMERGENCY_ITEM: NavigationItem = { to: "/emergency", label: "nav.emergency" };

const ITEMS_BY_ROLE: Record<Role, readonly NavigationItem[]> = {
  nurse: [
    { to: "/ward", label: "nav.ward" },
    { to: "/alarms", label: "nav.alarms" },
    { to: "/patients", label: "nav.patients" },
    { to: "/uploads", label: "nav.uploads" },
    { to: "/requests", label: "nav.requests" },
    { to: "/intake-review", label: "nav.intake" },
    EMERGENCY_ITEM,
  ],
  doctor: [
    { to: "/patients", label: "nav.patients" },
    { to: "/alarms", label: "nav.alarms" },
    { to: "/reports", label: "nav.reports" },
    { to: "/requests", label: "nav.requests" },
    { to: "/intake-review", label: "nav.intake" },
    EMERGENCY_ITEM,
  ],
  hospital_admin: [...ADMIN_ITEMS, { to: "/requests", label: "nav.requests" }, { to: "/intake-review", label: "nav.intake" }],
  admin: [...ADMIN_ITEMS, { to: "/admin/keys", label: "nav.keys" }],
  patient: [
    { to: "/me", label: "nav.home" },
    { to: "/me/reports", label: "nav.reports" },
    { to: "/me/vitals", label: "nav.vitals" },
    { to: "/me/devices", label: "nav.devices" },
    { to: "/me/appointments", label: "nav.appointments" },
    { to: "/me/documents", label: "nav.documents" },
    { to: "/me/details", label: "nav.details" },
    { to: "/me/consents", label: "nav.consents" },
    { to: "/me/guardians", label: "nav.guardians" },
    { to: "/me/access", label: "nav.access" },
  ],
};

const LANDING_PATHS: Record<Role, string> = {
  nurse: "/ward",
  doctor: "/patients",
  hospital_admin: "/admin",
  admin: "/admin",
  patient: "/me",
};

/** For privacy officers, whatever their role. */
const PRIVACY_ITEM: NavigationItem = { to: "/privacy", label: "nav.privacy" };

export function navigationItems(role: Role, isPrivacyOfficer = false): readonly NavigationItem[] {
  const items = ITEMS_BY_ROLE[role];
  if (!isPrivacyOfficer) return items;
  return [...items, PRIVACY_ITEM, ...(items.includes(EMERGENCY_ITEM) ? [] : [EMERGENCY_ITEM])];
}
export const landingPath = (role: Role): string => LANDING_PATHS[role];
/** Tabs at the bottom of a phone; further items are behind "More". */
export const MAX_TABS = 4;

/** True if the page is for this role. */
export const isPathAllowed = (role: Role, path: string): boolean => rolesOfPath(path).includes(role);
