// The queues of wrangler.toml: alarms wait for nothing, and every queue has bounded retries and a dead-letter queue.
import { expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";

type Consumer = { queue: string };
type Producer = { binding: string; queue: string };
const { queues } = unstable_readConfig({ config: "wrangler.toml" }, { hideWarnings: true });

it("hand alarms over without waiting for more, since the platform's default waits five seconds", () => {
  const alarms = queues.consumers?.find(({ queue }: Consumer) => queue === "edgecare-alarms");
  expect(alarms).toMatchObject({
    max_batch_size: 100,
    max_batch_timeout: 0,
    max_retries: 3,
    retry_delay: 1,
    dead_letter_queue: "edgecare-undelivered",
  });
});

it("have bounded retries and a dead-letter queue", () => {
  const messages = queues.consumers?.find(({ queue }: Consumer) => queue === "edgecare-messages");
  expect(messages).toMatchObject({
    max_batch_size: 20,
    max_batch_timeout: 1,
    max_retries: 3,
    dead_letter_queue: "edgecare-undelivered",
  });
  expect(queues.producers?.map(({ binding, queue }: Producer) => [binding, queue])).toEqual([
    ["ALARM_QUEUE", "edgecare-alarms"],
    ["MESSAGE_QUEUE", "edgecare-messages"],
  ]);
});
