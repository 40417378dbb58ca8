// In the authorization matrix, of encounters, the timeline and the dashboard: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsD = Record<never, string>;

export const newCareIdsD = async (_owner: IdsOwner): Promise<CareIdsD> => ({});

export const CARE_BODIES_D: RouteBodies = {};

export const CARE_QUERIES_D: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareD = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
