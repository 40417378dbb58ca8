// The browser's part of passkeys (WebAuthn): its failures become problems.
import {
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnError,
} from "@simplewebauthn/browser";
import { Problem } from "../../platform/api/problem.ts";

/** As the API sends them: the browser needs them unchanged. */
export type PasskeyOptions = { challenge: string };

/** The service ignores the outputs of extensions. */
const withoutExtensions = <T extends { clientExtensionResults: object }>({ clientExtensionResults: _, ...response }: T) => ({
  ...response,
  clientExtensionResults: {} as Record<string, never>,
});

/** @throws Problem passkey_cancelled (also when the browser has none that fits) */
export const askForPasskey = (options: PasskeyOptions) =>
  startAuthentication({ optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON }).then(
    withoutExtensions,
    throwProblem,
  );

/**
 * Offers passkeys among the suggestions of the field for the user name; ends with the next use of a passkey.
 * @throws WebAuthnError when it is ended
 */
export const suggestPasskeys = (options: PasskeyOptions) =>
  startAuthentication({
    optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON,
    useBrowserAutofill: true,
  }).then(withoutExtensions);

/** @throws Problem passkey_known (the device has one of this account), passkey_cancelled */
export const createPasskey = (options: PasskeyOptions) =>
  startRegistration({ optionsJSON: options as unknown as PublicKeyCredentialCreationOptionsJSON }).then(
    withoutExtensions,
    throwProblem,
  );

function throwProblem(error: unknown): never {
  const isKnown = error instanceof WebAuthnError && error.code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED";
  throw new Problem(0, isKnown ? "passkey_known" : "passkey_cancelled", "", null);
}
