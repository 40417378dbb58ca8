// In the authorization matrix, of the clinic day, calendar addresses, video and payments: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsC = Record<never, string>;

export const newCareIdsC = async (_owner: IdsOwner): Promise<CareIdsC> => ({});

export const CARE_BODIES_C: RouteBodies = {};

export const CARE_QUERIES_C: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareC = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
