// In the authorization matrix, of exports: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsF = Record<never, string>;

export const newCareIdsF = async (_owner: IdsOwner): Promise<CareIdsF> => ({});

export const CARE_BODIES_F: RouteBodies = {};

export const CARE_QUERIES_F: RouteQueries = {
  "GET /api/v1/reports/:report_id/export": () => "?format=docx",
};

/** @returns null for a route of which nothing is renewed here */
export const renewCareF = async (
  _route: string,
  _handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => null;
