// API call for the progress of a key rotation.
import { hc } from "hono/client";
import type { keyRoutes } from "../../../../src/service/keys/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";

const { admin } = hc<typeof keyRoutes>(API_BASE, CLIENT_OPTIONS);

export const readKeyStatus = () => readData(admin.keys.$get());
export type KeyStatus = Awaited<ReturnType<typeof readKeyStatus>>;
export type KeyOfRing = KeyStatus["keys"][number];
export type SealedStore = KeyStatus["stores"][number];
