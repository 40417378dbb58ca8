// Answers that differ from the general rules of the fuzzer for a reason.

type KnownFault = { operation: RegExp; kind: RegExp; reason: string };

export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    operation: /^postApiToken$/,
    kind: /^(400|401|423) is not a problem, but application\/json/,
    reason: "RFC 6749, 5.2 defines the errors of a token endpoint; the document declares them",
  },
];

/** @returns the reason why the answer is right, or null */
export function findKnown(operationId: string, kind: string): string | null {
  const known = KNOWN_FAULTS.find((one) => one.operation.test(operationId) && one.kind.test(kind));
  return known?.reason ?? null;
}
