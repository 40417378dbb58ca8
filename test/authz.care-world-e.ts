// In the authorization matrix, of written and signed reports: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsE = Record<never, string>;

export const newCareIdsE = async (_owner: IdsOwner): Promise<CareIdsE> => ({});

export const CARE_BODIES_E: RouteBodies = {};

export const CARE_QUERIES_E: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareE = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
