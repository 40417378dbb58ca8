CREATE TABLE `phone_codes` (
	`user_id` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`phone_sealed` text NOT NULL,
	`phone_index` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`sent_count` integer NOT NULL,
	`window_started_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `phone_codes_id` ON `phone_codes` (`id`);--> statement-breakpoint
CREATE INDEX `phone_codes_number` ON `phone_codes` (`phone_index`);--> statement-breakpoint
CREATE INDEX `phone_codes_expiry` ON `phone_codes` (`expires_at`);