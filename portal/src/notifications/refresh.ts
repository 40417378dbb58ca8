// Reads the notifications again: their number and their list.
import { queryClient } from "../platform/api/query-client.ts";

export const NOTIFICATIONS_KEY = ["notifications"];
export const refreshNotifications = () => queryClient.invalidateQueries({ queryKey: NOTIFICATIONS_KEY });
