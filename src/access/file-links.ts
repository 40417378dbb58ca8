// Signed download links: valid for 5 minutes, for one file and GET, bound to a session or credential, checked again on use.
import type { Keys } from "../platform/config.ts";
import { ApiError } from "../platform/errors.ts";
import { UUID_PATTERN } from "../platform/ids.ts";
import { signToken, verifyToken } from "../platform/signed-token.ts";
import { toIso } from "../platform/time.ts";
import type { Actor, Call, RequestOrigin } from "./actor.ts";

export const LINK_LIFETIME_MS = 5 * 60_000;

/** Collections whose files have links: `/<kind>s/<id>/file`, unless they have a path of their own. */
export type LinkedKind = "report" | "document" | "record_export";
/** `path`: of the file below the API's prefix, where it is not the one of its kind. */
export type LinkedFile = { kind: LinkedKind; id: string; path?: string };
export type SignedLink = { url: string; expires_at: string };

/** The payload is `u.<user>.<session>.<exp>`, `d.<credential>..<exp>` or `a.<credential>.<hospital>.<exp>`.
 * `exp` is Unix time in ms. The MAC also covers method, kind and id of the file's owner. */
export async function signLink(call: Call, origin: string, file: LinkedFile): Promise<SignedLink> {
  const { actor, keys, now } = call;
  const exp = now + LINK_LIFETIME_MS;
  const payload = `${formatLinkHolder(actor)}.${exp}`;
  const link = await signToken(keys.link, payload, ".", linkMacParts(file, payload));
  return {
    url: `${origin}/api/v1${file.path ?? `/${file.kind}s/${file.id}/file`}?link=${link}`,
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

/** Links of reports are older than those of other kinds, and name none. */
const linkMacParts = ({ kind, id }: LinkedFile, payload: string) =>
  kind === "report" ? ["link", "GET", id, payload] : ["link", "GET", kind, id, payload];

/**
 * Returns the actor that a link was signed for. Access to the file is checked separately.
 * @throws ApiError link_invalid, link_expired
 */
export async function verifyLink(keys: Keys, file: LinkedFile, link: string, via: RequestOrigin, now: number): Promise<Actor> {
  const payload = await verifyToken(keys.link, link, ".", (payload) => linkMacParts(file, payload));
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
