// One account, for who may read it.
import { queryOptions } from "@tanstack/react-query";
import { readUser } from "./api.ts";

/** With the ETag that a change of it needs. */
export const userQuery = (userId: string) =>
  queryOptions({ queryKey: ["admin", "user", userId], queryFn: () => readUser(userId) });
