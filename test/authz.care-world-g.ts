// In the authorization matrix, of intake forms, matches and merges: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsG = Record<never, string>;

export const newCareIdsG = async (_owner: IdsOwner): Promise<CareIdsG> => ({});

export const CARE_BODIES_G: RouteBodies = {};

export const CARE_QUERIES_G: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareG = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
