// Answers that differ from the general rules of the fuzzer for a reason.

type KnownFault = { operation: RegExp; kind: RegExp; reason: string };

export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    operation: /^postApiToken$/,
    kind: /^(400|401|423) is not a problem, but application\/json/,
    reason: "RFC 6749, 5.2 defines the errors of a token endpoint; the document declares them",
  },
  {
    operation: /^post(ApiToken|Users|Auth(Login|Register\w*|Bootstrap|InvitationsAccept|Password\w*))$/,
    kind: /^status 503$/,
    reason: "the queue of password hashes has four places for one address",
  },
  {
    operation: /^getRoot$/,
    kind: /^undeclared media type text\/html of 200$/,
    reason: "browsers get the portal's page; an operation has one media type for each status",
  },
  {
    operation: /./,
    kind: /^404 is not a problem, but text\/html/,
    reason: "browsers get the portal's page for a path that no route has",
  },
];

/** @returns the reason why the answer is right, or null */
export function findKnown(operationId: string, kind: string): string | null {
  const known = KNOWN_FAULTS.find((one) => one.operation.test(operationId) && one.kind.test(kind));
  return known?.reason ?? null;
}
