// Ids, requests and renewals of the routes of care (authz.care-world-a.ts to authz.care-world-g.ts).
import { CARE_BODIES_A, CARE_QUERIES_A, type CareIdsA, newCareIdsA, renewCareA } from "./authz.care-world-a.ts";
import { CARE_BODIES_B, CARE_QUERIES_B, type CareIdsB, newCareIdsB, renewCareB } from "./authz.care-world-b.ts";
import { CARE_BODIES_C, CARE_QUERIES_C, type CareIdsC, newCareIdsC, renewCareC } from "./authz.care-world-c.ts";
import { CARE_BODIES_D, CARE_QUERIES_D, type CareIdsD, newCareIdsD, renewCareD } from "./authz.care-world-d.ts";
import { CARE_BODIES_E, CARE_QUERIES_E, type CareIdsE, newCareIdsE, renewCareE } from "./authz.care-world-e.ts";
import { CARE_BODIES_F, CARE_QUERIES_F, type CareIdsF, newCareIdsF, renewCareF } from "./authz.care-world-f.ts";
import { CARE_BODIES_G, CARE_QUERIES_G, type CareIdsG, newCareIdsG, renewCareG } from "./authz.care-world-g.ts";
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

export type CareIds = CareIdsA & CareIdsB & CareIdsC & CareIdsD & CareIdsE & CareIdsF & CareIdsG;

export const newCareIds = async (owner: IdsOwner): Promise<CareIds> => ({
  ...(await newCareIdsA(owner)),
  ...(await newCareIdsB(owner)),
  ...(await newCareIdsC(owner)),
  ...(await newCareIdsD(owner)),
  ...(await newCareIdsE(owner)),
  ...(await newCareIdsF(owner)),
  ...(await newCareIdsG(owner)),
});

export const CARE_BODIES: RouteBodies = {
  ...CARE_BODIES_A,
  ...CARE_BODIES_B,
  ...CARE_BODIES_C,
  ...CARE_BODIES_D,
  ...CARE_BODIES_E,
  ...CARE_BODIES_F,
  ...CARE_BODIES_G,
};

export const CARE_QUERIES: RouteQueries = {
  ...CARE_QUERIES_A,
  ...CARE_QUERIES_B,
  ...CARE_QUERIES_C,
  ...CARE_QUERIES_D,
  ...CARE_QUERIES_E,
  ...CARE_QUERIES_F,
  ...CARE_QUERIES_G,
};

const RENEWALS = [renewCareA, renewCareB, renewCareC, renewCareD, renewCareE, renewCareF, renewCareG];

/** The ids after the first renewal that knows the route; null if none does. */
export async function renewCare(
  route: string,
  handle: ResourceIds,
  stage: AuthzFixture,
  player: TestCaller,
): Promise<ResourceIds | null> {
  for (const renew of RENEWALS) {
    const renewed = await renew(route, handle, stage, player);
    if (renewed) return renewed;
  }
  return null;
}
