// Bindings that the test configuration adds.
declare namespace Cloudflare {
  interface Env {
    RATE_TEST: RateLimit;
    RATE_TEST_TEN: RateLimit;
    /** The stand-in of the mail service (test/mailbox.ts). */
    MAILBOX: {
      arrived(address: string): Promise<Uint8Array[]>;
      count(): Promise<number>;
      behave(address: string, next: string[]): Promise<void>;
    };
    /** The stand-in of the provider of text messages (test/sms-box.ts). */
    SMS_BOX: {
      arrived(to: string): Promise<{ sid: string; To: string; Body: string; StatusCallback: string; ValidityPeriod: string }[]>;
      behave(to: string, next: string[]): Promise<void>;
      callback(sid: string, status: string, errorCode?: string): Promise<{ url: string; body: string; signature: string }>;
    };
    /** Names, in their order. */
    MIGRATIONS: string[];
    /** Statements (test/migrated-schema.ts). */
    MIGRATED_SCHEMA: string[];
  }
}

/** The text of a source file, by Vite. */
declare module "*?raw" {
  const text: string;
  export default text;
}
