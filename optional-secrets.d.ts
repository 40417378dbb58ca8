// Secrets and variables that a deployment may leave out; `wrangler types` generates the required ones only.
interface Env {
  /** Key ring of the identity index (patients/identity/person.ts); without it no Aadhaar number is accepted. */
  IDENTITY_KEYS?: string;
  /** Bearer of /metrics; without it there is no such page. */
  METRICS_TOKEN?: string;
  /** Key ring that identifies the deployment to push services, as JWT_KEYS; without it Web Push is off. */
  VAPID_KEYS?: string;
  /** Local push services of development and tests, separated by commas; refused in production. */
  PUSH_TEST_ORIGINS?: string;
  /** Text messages (notifications/sms): the provider's account, its token, and the sender; without them they are off. */
  SMS_ACCOUNT_SID?: string;
  SMS_AUTH_TOKEN?: string;
  SMS_FROM?: string;
  /** Origin of another provider with the same interface. */
  SMS_API_ORIGIN?: string;
  /** R2's S3 credentials for direct uploads; without them there are none. */
  R2_S3_ACCESS_KEY_ID?: string;
  R2_S3_SECRET_ACCESS_KEY?: string;
  /** Origins of local webhook receivers, comma-separated; development and tests only (platform/config.ts). */
  WEBHOOK_TEST_ORIGINS?: string;
}
