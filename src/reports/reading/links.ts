// Signed links: five minutes, one report, one method, tied to the session or credential that asked; re-checked when used.
import type { Actor, Call, RequestOrigin } from "../../access/actor.ts";
import type { Keys } from "../../platform/config.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID_PATTERN } from "../../platform/ids.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";
import { toIso } from "../../platform/time.ts";

export const LINK_LIFETIME_MS = 5 * 60_000;

export type SignedLink = { url: string; expires_at: string };

/** Payload `u.<user>.<session>.<exp>`, `d.<credential>..<exp>` or `a.<credential>.<hospital>.<exp>`; the MAC also covers method and report. */
export async function signLink(call: Call, origin: string, reportId: string): Promise<SignedLink> {
  const { actor, keys, now } = call;
  const exp = now + LINK_LIFETIME_MS;
  const payload = `${formatLinkHolder(actor)}.${exp}`;
  const link = await signToken(keys.link, payload, ".", linkMacParts(reportId, payload));
  return {
    url: `${origin}/api/v1/reports/${reportId}/file?link=${link}`,
    expires_at: toIso(exp),
  };
}

function formatLinkHolder(actor: Actor): string {
  switch (actor.kind) {
    case "user":
      return `u.${actor.userId}.${actor.sessionId}`;
    case "device":
      return `d.${actor.credentialId}.`;
    case "app":
      return `a.${actor.credentialId}.${actor.hospitalId}`;
    default:
      throw new ApiError("unauthenticated");
  }
}

const linkMacParts = (reportId: string, payload: string) => ["link", "GET", reportId, payload];

/**
 * The actor for whom a link was signed. What they may see is asked again at the gate.
 * @throws ApiError link_invalid, link_expired
 */
export async function verifyLink(keys: Keys, reportId: string, link: string, via: RequestOrigin, now: number): Promise<Actor> {
  const payload = await verifyToken(keys.link, link, ".", (payload) => linkMacParts(reportId, payload));
  const [kind, id = "", sessionId = "", exp = ""] = payload?.split(".") ?? [];
  if (!UUID_PATTERN.test(id)) throw new ApiError("link_invalid");
  // A link that outlives the limit was signed by a version with another one; it counts for nothing here.
  if (!(Number(exp) <= now + LINK_LIFETIME_MS)) throw new ApiError("link_invalid");
  if (Number(exp) <= now) throw new ApiError("link_expired");
  if (kind === "a") return { kind: "app", credentialId: id, hospitalId: sessionId, secretHash: null, via };
  if (kind === "d") return { kind: "device", credentialId: id, secretHash: null, via };
  // The gate asks the database for role and hospital; a link claims neither.
  return {
    kind: "user",
    userId: id,
    sessionId,
    claimedRole: { role: "patient", hospitalId: null, doctorScope: "care_team" },
    via,
  };
}
