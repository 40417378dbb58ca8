CREATE TABLE `access_log_reads` (
	`user_id` text PRIMARY KEY NOT NULL,
	`day` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `privacy_reviews` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`kind` text NOT NULL,
	`ref_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`subject_user_id` text,
	`flagged` integer DEFAULT 0 NOT NULL,
	`status` text DEFAULT 'open' NOT NULL,
	`content_sealed` text NOT NULL,
	`opened_by` text NOT NULL,
	`opened_at` integer NOT NULL,
	`outcome` text,
	`note_sealed` text,
	`closed_by` text,
	`closed_at` integer,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `privacy_reviews_ref` ON `privacy_reviews` (`ref_id`,`kind`,`patient_id`);--> statement-breakpoint
CREATE INDEX `privacy_reviews_hospital` ON `privacy_reviews` (`hospital_id`,`flagged`,`id`);--> statement-breakpoint
CREATE INDEX `privacy_reviews_status` ON `privacy_reviews` (`hospital_id`,`status`,`flagged`,`id`);--> statement-breakpoint
CREATE INDEX `privacy_reviews_patient` ON `privacy_reviews` (`patient_id`,`kind`,`id`);--> statement-breakpoint
ALTER TABLE `memberships` ADD `privacy_officer` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `memberships_privacy_officer` ON `memberships` (`hospital_id`) WHERE privacy_officer = 1;