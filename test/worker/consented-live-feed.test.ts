// Consents and emergency accesses in the state of a feed: an ended one stays ended, other hospitals' staff have a bound of their own.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { CLOSE_REASONS, type CloseReason, type Handshake, newClientState } from "../../src/monitoring/live/clients.ts";
import { EndedGrants } from "../../src/monitoring/live/ended-grants.ts";
import { createEventStream } from "../../src/monitoring/live/event-stream.ts";
import { FeedState } from "../../src/monitoring/live/feed-state.ts";
import { MAX_GUEST_SOCKETS } from "../../src/monitoring/live/sockets.ts";
import { env, uniqueText } from "../world.ts";
import { getFeed } from "./live-client.ts";

const PATIENT = crypto.randomUUID();

function newHandshake(hospitalId: string, scope: string, actingFor = "b"): Handshake {
  const user = { kind: "user" as const, userId: uniqueText(), sessionId: uniqueText() };
  const subscription = { holder: user, role: "nurse" as const, actingFor, view: `${scope}/named` };
  return { subscription, hospitalId, requested: [PATIENT], expires: null, since: null, requestId: "test", ip: null };
}

function newGrant(consentId: string) {
  const times = { from: 0, until: Date.now() * 2, expiresAt: Date.now() * 2 };
  return { id: PATIENT, grant: { consentId, purpose: "CAREMGT" as const, ...times } };
}

function withFeedState<T>(run: (state: FeedState, hospitalId: string) => T): Promise<T> {
  const hospitalId = crypto.randomUUID();
  return runInDurableObject(getFeed(hospitalId), (_, context) =>
    run(new FeedState(context, env, expect.unreachable, () => undefined), hospitalId),
  );
}

describe("a consent that ended", () => {
  it("is not brought back by a query of D1 that began before, unlike one that did not end", async () => {
    const seen = await withFeedState((state, hospitalId) => {
      const handshake = newHandshake(hospitalId, "consent:b:hospital");
      const { view } = handshake.subscription;
      state.beginAdmission([handshake], state.nextSeq());
      const [ended, live] = [state.nextQueryNumber(), state.nextQueryNumber()];
      state.endGrant("ended");
      const wantedAfter = (consentId: string, query: number) => {
        state.applyVisiblePatients(view, [newGrant(consentId)], query);
        return [...(state.getView(view)?.wanted ?? [])];
      };
      return [wantedAfter("ended", ended), wantedAfter("live", live)];
    });
    expect(seen).toEqual([[], [PATIENT]]);
  });

  it("is remembered as an emergency access is", () => {
    const grants = new EndedGrants();
    const patient = { id: PATIENT, grant: { emergencyId: "first", endsAt: Date.now() * 2 } };
    expect(grants.withoutEnded([patient])).toHaveLength(1);
    grants.add("first");
    expect(grants.withoutEnded([patient])).toEqual([]);
  });

  it("is remembered until a thousand later ones have ended", () => {
    const grants = new EndedGrants();
    const isRemembered = () => grants.withoutEnded([newGrant("first")]).length === 0;
    grants.add("first");
    for (let i = 1; i < 1_000; i++) grants.add(uniqueText());
    expect(isRemembered()).toBe(true);
    grants.add("last");
    expect(isRemembered()).toBe(false);
  });
});

describe("server-sent events that a slow reader has not read", () => {
  /** What a reader gets who begins to read after the feed has sent frames and closed the view. */
  async function readAfterClose([code, reason]: CloseReason): Promise<string> {
    const [client, server] = Object.values(new WebSocketPair());
    if (!client || !server) throw new Error("no sockets");
    const stream = createEventStream(client);
    const closed = new Promise((resolve) => client.addEventListener("close", resolve));
    server.accept();
    for (const seq of [1, 2, 3]) server.send(JSON.stringify({ seq, type: "samples" }));
    server.close(code, reason);
    await closed;
    return new Response(stream).text();
  }

  it("are dropped after a revocation, and sent after another end", async () => {
    const revoked = await readAfterClose(CLOSE_REASONS.gone);
    expect(revoked).not.toContain("samples");
    expect(revoked).toContain('"code":4403');
    expect((await readAfterClose(CLOSE_REASONS.ended)).match(/samples/g)).toHaveLength(3);
  });
});

describe("the places of a feed", () => {
  it("are for other hospitals' staff up to their number, and then for the own still", async () => {
    const room = await withFeedState(({ sockets }, hospitalId) => {
      const hasRoom = (scope: string, from = "c") => sockets.hasRoomFor(newHandshake(hospitalId, scope, from).subscription);
      const accept = () => {
        for (const scope of ["consent:b:hospital", "emergency:b:u"]) {
          const client = newClientState(newHandshake(hospitalId, scope), uniqueText(), Date.now());
          sockets.accept(new WebSocketPair()[1], client);
        }
      };
      for (let i = 2; i < MAX_GUEST_SOCKETS; i += 2) accept();
      const before = hasRoom("consent:c:hospital");
      accept();
      const guests = [hasRoom("consent:c:hospital"), hasRoom("emergency:c:u")];
      return [before, ...guests, hasRoom(`emergency:${hospitalId}:u`, hospitalId), hasRoom("hospital", hospitalId)];
    });
    expect(room).toEqual([true, false, false, true, true]);
  });
});
