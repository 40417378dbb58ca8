// Bindings that the test configuration adds.
declare namespace Cloudflare {
  interface Env {
    RATE_TEST: RateLimit;
    MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}
