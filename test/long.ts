// The two lengths of random runs: short in `npm test`, long in `npm run verify`, which sets VERIFY=1.
export const VERIFY = Boolean(process.env["VERIFY"]);

/** How often a random run goes round. */
export const times = (short: number, long: number): number => (VERIFY ? long : short);
