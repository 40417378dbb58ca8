// Sign-in with a passkey alone: the button, and suggestions in the field for the user name.
import { Button } from "@mantine/core";
import { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, WebAuthnAbortService } from "@simplewebauthn/browser";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "../../platform/messages/translate.ts";
import { askForPasskey, suggestPasskeys } from "./ceremonies.ts";
import { type PasskeyAnswer, readSignInOptions, signInWithPasskey } from "./sign-in-api.ts";

/** The service accepts a challenge for five minutes. */
const RENEW_SUGGESTIONS_MS = 4 * 60_000;

/** Suggests passkeys while the form is shown. What fails before somebody chooses one is left out: the button remains. */
function useSuggestedPasskeys(onChosen: (passkey: PasskeyAnswer) => void, restart: number): void {
  const chosen = useRef(onChosen);
  chosen.current = onChosen;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the button ends the suggestions, and `restart` begins them again
  useEffect(() => {
    let isShown = true;
    const suggest = async () => {
      if (!(await browserSupportsWebAuthnAutofill())) return;
      const options = await readSignInOptions();
      if (!isShown) return;
      const passkey = await suggestPasskeys(options);
      if (isShown) chosen.current(passkey);
    };
    const run = () => void suggest().catch(() => undefined);
    run();
    const timer = setInterval(run, RENEW_SUGGESTIONS_MS);
    return () => {
      isShown = false;
      clearInterval(timer);
      WebAuthnAbortService.cancelCeremony();
    };
  }, [restart]);
}

type PasskeySignInProps = { onDone: () => void; onError: (error: unknown) => void };

export function PasskeySignIn({ onDone, onError }: PasskeySignInProps) {
  const t = useTranslation();
  const [busy, setBusy] = useState(false);
  const [uses, setUses] = useState(0);

  async function signIn(getPasskey: () => Promise<PasskeyAnswer>): Promise<void> {
    setBusy(true);
    onError(null);
    try {
      await signInWithPasskey(await getPasskey());
      onDone();
    } catch (error) {
      setBusy(false);
      setUses((count) => count + 1);
      onError(error);
    }
  }
  useSuggestedPasskeys((passkey) => void signIn(async () => passkey), uses);
  if (!browserSupportsWebAuthn()) return null;
  return (
    <Button variant="default" loading={busy} onClick={() => void signIn(async () => askForPasskey(await readSignInOptions()))}>
      {t("factors.sign_in_with_passkey")}
    </Button>
  );
}
