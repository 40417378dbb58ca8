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

const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;

/** @throws Problem passkey_known (the device has one of this account), passkey_cancelled */
export async function createPasskey(options: PasskeyOptions) {
  const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON;
  const { response, ...credential } = await startRegistration({ optionsJSON }).then(withoutExtensions, throwProblem);
  // A hint for later sign-ins: what the service does not know yet is left out.
  const transports = TRANSPORTS.filter((known) => response.transports?.some((transport) => transport === known));
  return { ...credential, response: { ...response, transports } };
}

function throwProblem(error: unknown): never {
  const isKnown = error instanceof WebAuthnError && error.code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED";
  throw new Problem(0, isKnown ? "passkey_known" : "passkey_cancelled", "", null);
}
