// Parsing of URL search parameters.

/** Keeps the parameters that a page knows and drops all others. */
export const searchParams =
  <const Name extends string>(...names: Name[]) =>
  (search: Record<string, unknown>): Partial<Record<Name, string>> => {
    const entries = names.flatMap((name) => {
      const value = search[name];
      return value === undefined || value === "" ? [] : [[name, String(value)] as const];
    });
    return Object.fromEntries(entries) as Partial<Record<Name, string>>;
  };
