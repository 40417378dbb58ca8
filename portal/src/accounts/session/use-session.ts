// The session in components.
import { useSyncExternalStore } from "react";
import { currentSession, type Me, type Session, subscribeSession } from "./session.ts";

export const useSession = (): Session => useSyncExternalStore(subscribeSession, currentSession);

/** Who is signed in; only below the line that asks (shell/signed-in.tsx). */
export function useMe(): Me {
  const session = useSession();
  if (!("me" in session)) throw new Error("nobody is signed in");
  return session.me;
}

export type Role = Me["role"];
export const isStaff = (role: Role) => role !== "patient";
