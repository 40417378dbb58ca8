// The session in components.
import { useSyncExternalStore } from "react";
import { currentSession, type Me, type Session, subscribeSession } from "./session.ts";

export const useSession = (): Session => useSyncExternalStore(subscribeSession, currentSession);

/** The signed-in user; only below the signed-in layout. */
export function useMe(): Me {
  const session = useSession();
  if (!("me" in session)) throw new Error("nobody is signed in");
  return session.me;
}

export type Role = Me["role"];
export const isStaff = (role: Role) => role !== "patient";
