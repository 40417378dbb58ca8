// In the authorization matrix, of exports: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";
import { newRecordExport } from "./record-export-rows.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsF = { exportId: string };

export const newCareIdsF = async ({ patient, manager }: IdsOwner): Promise<CareIdsF> => ({
  exportId: await newRecordExport(patient.id, manager),
});

export const CARE_BODIES_F: RouteBodies = {
  "POST /api/v1/patients/:patient_id/export": () => ({ json: { format: "json" } }),
};

export const CARE_QUERIES_F: RouteQueries = {
  "GET /api/v1/reports/:report_id/export": () => "?format=docx",
};

/** @returns null for a route of which nothing is renewed here */
export const renewCareF = async (
  route: string,
  handle: ResourceIds,
  _stage: AuthzFixture,
  { person }: TestCaller,
): Promise<ResourceIds | null> =>
  // An export is shown to who asked for it.
  person && route.includes("/export/:export_id")
    ? { ...handle, exportId: await newRecordExport(handle.patientId, person) }
    : null;
