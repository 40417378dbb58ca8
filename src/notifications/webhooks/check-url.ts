// The check of a webhook's address when it is entered.
import { getTestOrigins } from "../../platform/config.ts";
import { ApiError } from "../../platform/errors.ts";
import { assertSafeUrl, UnsafeUrlError } from "../../platform/safe-addresses.ts";

const DEADLINE_MS = 4000;

/** Returns the address as it is stored. */
export type CheckUrl = (url: string) => Promise<string>;

const rejectUrl = (message: string, code: string) =>
  new ApiError("invalid_request", "The address of the webhook is not allowed; see errors.", {
    errors: [{ path: "url", message, code }],
  });

/** @returns a function that throws ApiError invalid_request for an address that is not public */
export const createUrlCheck =
  (env: Env): CheckUrl =>
  async (url) => {
    try {
      return (await assertSafeUrl(url, getTestOrigins(env, "WEBHOOK_TEST_ORIGINS"), AbortSignal.timeout(DEADLINE_MS))).href;
    } catch (error) {
      if (error instanceof UnsafeUrlError) throw rejectUrl(error.message, error.fault);
      if (error instanceof ApiError) throw error;
      throw rejectUrl("The host name could not be resolved; try again later", "unresolved");
    }
  };
