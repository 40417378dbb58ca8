// Signed download links: valid for 5 minutes, for one report and GET, bound to a session or credential, checked again on use.

import type { Actor, Call, RequestOrigin } from "../../access/actor.ts";
import type { Keys } from "../../platform/config.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID_PATTERN } from "../../platform/ids.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";
import { toIso } from "../../platform/time.ts";

export const LINK_LIFETIME_MS = 5 * 60_000;

export type SignedLink = { url: string; expires_at: string };

/** The payload is `u.<user>.<session>.<exp>`, `d.<credential>..<exp>` or `a.<credential>.<hospital>.<exp>`.
 * `exp` is Unix time in ms. The MAC also covers method and report id. */
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

/** When a verified link was signed, in Unix ms. */
export const linkSignedAt = (link: string): number => Number(link.split(".")[3]) - LINK_LIFETIME_MS;

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
 * Returns the actor that a link was signed for. Access to the report is checked separately.
 * @throws ApiError link_invalid, link_expired
 */
export async function verifyLink(keys: Keys, reportId: string, link: string, via: RequestOrigin, now: number): Promise<Actor> {
  const payload = await verifyToken(keys.link, link, ".", (payload) => linkMacParts(reportId, payload));
  const [kind, id = "", sessionId = "", exp = ""] = payload?.split(".") ?? [];
  if (!UUID_PATTERN.test(id)) throw new ApiError("link_invalid");
  // An expiry beyond the limit comes from a version with a longer lifetime.
  if (!(Number(exp) <= now + LINK_LIFETIME_MS)) throw new ApiError("link_invalid");
  if (Number(exp) <= now) throw new ApiError("link_expired");
  if (kind === "a") return { kind: "app", credentialId: id, hospitalId: sessionId, secretHash: null, via };
  if (kind === "d") return { kind: "device", credentialId: id, secretHash: null, via };
  // A link carries neither role nor hospital: the access check reads both from the database.
  return {
    kind: "user",
    userId: id,
    sessionId,
    claimedRole: { role: "patient", hospitalId: null, doctorScope: "care_team" },
    via,
  };
}
