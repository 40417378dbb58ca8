// Areas of the portal: the first segments of its addresses, and the roles that each is for. The Worker and the portal derive the rest.

const STAFF = ["nurse", "doctor", "hospital_admin", "admin"] as const;
const EVERYONE = ["patient", ...STAFF] as const;

/** `null`: no login needed. An area that is not listed here is served a 404, and the portal shows "no access". */
export const PORTAL_AREAS = {
  "": EVERYONE,
  login: null,
  invitation: null,
  forgot: null,
  reset: null,
  "verify-email": null,
  register: null,
  intake: null,
  account: EVERYONE,
  ward: STAFF,
  alarms: STAFF,
  patients: STAFF,
  reports: STAFF,
  uploads: STAFF,
  devices: STAFF,
  admin: ["hospital_admin", "admin"],
  privacy: ["nurse", "doctor", "hospital_admin"],
  emergency: ["nurse", "doctor", "hospital_admin"],
  appointments: STAFF,
  me: ["patient"],
  consents: EVERYONE,
  "intake-review": ["nurse", "doctor", "hospital_admin"],
  requests: ["nurse", "doctor", "hospital_admin"],
  "document-requests": EVERYONE,
} as const satisfies Record<string, readonly (typeof EVERYONE)[number][] | null>;

export type PortalArea = keyof typeof PORTAL_AREAS;

/** Roles that an address is for; none where the address needs no login or belongs to no area. */
export function rolesOfPath(path: string): readonly (typeof EVERYONE)[number][] {
  const area = path.split("/")[1] ?? "";
  return new Map<string, readonly (typeof EVERYONE)[number][] | null>(Object.entries(PORTAL_AREAS)).get(area) ?? [];
}
