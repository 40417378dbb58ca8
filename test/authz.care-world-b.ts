// In the authorization matrix, of appointments: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsB = Record<never, string>;

export const newCareIdsB = async (_owner: IdsOwner): Promise<CareIdsB> => ({});

export const CARE_BODIES_B: RouteBodies = {};

export const CARE_QUERIES_B: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareB = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
