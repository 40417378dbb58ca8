// In the authorization matrix, of availability: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsA = Record<never, string>;

export const newCareIdsA = async (_owner: IdsOwner): Promise<CareIdsA> => ({});

export const CARE_BODIES_A: RouteBodies = {};

export const CARE_QUERIES_A: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareA = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
