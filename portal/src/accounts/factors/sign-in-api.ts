// Sign-in beyond the password: its second step, and passkeys alone.
import { hc } from "hono/client";
import type { publicFactorRoutes } from "../../../../src/accounts/factors/sign-in-routes.ts";
import { type Problem, parseProblem, throwUnreachable } from "../../platform/api/problem.ts";
import { startSession } from "../session/session.ts";
import type { PasskeyOptions } from "./ceremonies.ts";

const { auth } = hc<typeof publicFactorRoutes>("/api/v1");

export type Method = "totp" | "passkey" | "recovery_code" | "password";
type LoginAnswer = Parameters<(typeof auth.login)["second-step"]["$post"]>[0]["json"];
export type PasskeyAnswer = NonNullable<LoginAnswer["passkey"]>;
/** One of them. */
export type FactorAnswer = { code: string } | { passkey: PasskeyAnswer } | { password: string };

/** After the right password of somebody with a second factor; for five minutes and one use. */
export type SecondStepTicket = { ticket: string; methods: readonly Method[]; passkeyOptions: PasskeyOptions | null };

/** @returns null for any other problem */
export function readTicket({ code, members }: Problem): SecondStepTicket | null {
  if (code !== "second_step_required") return null;
  const { ticket, methods, passkey_options } = members as {
    ticket: string;
    methods: Method[];
    passkey_options: PasskeyOptions | null;
  };
  return { ticket, methods, passkeyOptions: passkey_options };
}

/** @throws Problem invalid_code, invalid_passkey, invalid_ticket, account_locked, rate_limited, unreachable */
export async function finishSignIn(ticket: string, answer: FactorAnswer): Promise<void> {
  const json = { ticket, ...answer, transport: "cookie" } as LoginAnswer;
  const response = await auth.login["second-step"].$post({ json }).catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  await startSession((await response.json()).data);
}

/** @throws Problem rate_limited, unreachable */
export async function readSignInOptions(): Promise<PasskeyOptions> {
  const response = await auth.passkey.options.$post().catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  return (await response.json()).data;
}

/** @throws Problem invalid_passkey, rate_limited, unreachable */
export async function signInWithPasskey(passkey: PasskeyAnswer): Promise<void> {
  const response = await auth.passkey.login.$post({ json: { passkey, transport: "cookie" } }).catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  await startSession((await response.json()).data);
}
