// What the test configuration adds to the bindings.
declare namespace Cloudflare {
  interface Env {
    RATE_TEST: RateLimit;
    MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}

/** The text of a source file, by Vite. */
declare module "*?raw" {
  const text: string;
  export default text;
}
