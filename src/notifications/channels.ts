// The channels that this deployment has. A delivery of a channel that is not here stays waiting.
import type { Channel, DeliveryChannel } from "./channel.ts";
import { emailChannel } from "./email/email-channel.ts";
import { pushChannel } from "./push/push-channel.ts";
import { smsChannel } from "./sms/sms-channel.ts";
import { webhookChannel } from "./webhooks/webhook-channel.ts";

export type Channels = Partial<Record<DeliveryChannel, Channel>>;

export const CHANNELS: Channels = { email: emailChannel, push: pushChannel, sms: smsChannel, webhook: webhookChannel };
