// Queries that several cards of the message settings share.
import { listPushSubscriptions, readMessageSettings, readPreferences } from "./api.ts";
import { readPushState } from "./push.ts";

export const preferencesQuery = { queryKey: ["notify", "preferences"], queryFn: readPreferences };
export const settingsQuery = { queryKey: ["notify", "settings"], queryFn: readMessageSettings };
export const browsersQuery = { queryKey: ["notify", "browsers"], queryFn: listPushSubscriptions };
export const pushStateQuery = { queryKey: ["notify", "push"], queryFn: readPushState };
