// API calls for the own second factors, step-up, and the managers' policy and reset.
import { hc } from "hono/client";
import type { factorRoutes } from "../../../../src/accounts/factors/own-routes.ts";
import type { passkeyRoutes } from "../../../../src/accounts/factors/passkey-routes.ts";
import type { factorPolicyRoutes } from "../../../../src/accounts/factors/policy-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";
import type { FactorAnswer } from "./sign-in-api.ts";

const { auth } = hc<typeof factorRoutes>(API_BASE, CLIENT_OPTIONS);
const { passkeys } = hc<typeof passkeyRoutes>(API_BASE, CLIENT_OPTIONS).auth;
const passkeyApi = passkeys[":passkey_id"];
const policyApi = hc<typeof factorPolicyRoutes>(API_BASE, CLIENT_OPTIONS);
const hospitalPolicy = policyApi.hospitals[":hospital_id"]["factor-policy"];

export const listFactors = () => readData(auth.mfa.$get());
export type Factors = Awaited<ReturnType<typeof listFactors>>;
export type Passkey = Factors["passkeys"][number];

export const readPasskeyOptions = () => readData(passkeys.options.$post());
type NewPasskey = Parameters<typeof passkeys.$post>[0]["json"];
/** @throws Problem invalid_passkey, already_exists, limit_reached */
export const registerPasskey = (json: NewPasskey) => readData(passkeys.$post({ json }));
export const renamePasskey = (passkey_id: string, name: string) =>
  readData(passkeyApi.$patch({ param: { passkey_id }, json: { name } }));
export const removePasskey = (passkey_id: string) => readData(passkeyApi.$delete({ param: { passkey_id } }));

export const enrollTotp = () => readData(auth.mfa.totp.enroll.$post());
export type TotpSecret = Awaited<ReturnType<typeof enrollTotp>>;
/** @throws Problem invalid_code, conflict (nothing to confirm) */
export const confirmTotp = (code: string) => readData(auth.mfa.totp.confirm.$post({ json: { code } }));
export const removeTotp = () => readData(auth.mfa.totp.$delete());
export const replaceRecoveryCodes = async () => (await readData(auth.mfa["recovery-codes"].$post())).recovery_codes;

export const readStepUpOptions = () => readData(auth["step-up"].options.$post());
/** @throws Problem wrong_password, invalid_code, invalid_passkey, account_locked, rate_limited */
export const stepUp = (answer: FactorAnswer) => readData(auth["step-up"].$post({ json: answer }));

export const readFactorPolicy = async (hospital_id: string) =>
  (await readData(hospitalPolicy.$get({ param: { hospital_id } }))).required_from;
export type PolicyDates = Awaited<ReturnType<typeof readFactorPolicy>>;
export const setFactorPolicy = async (hospital_id: string, required_from: PolicyDates) =>
  (await readData(hospitalPolicy.$put({ param: { hospital_id }, json: { required_from } }))).required_from;

/** @throws Problem forbidden (rights beyond the caller's hospital) */
export const resetFactors = (user_id: string) =>
  readData(policyApi.users[":user_id"].factors.reset.$post({ param: { user_id } }));
