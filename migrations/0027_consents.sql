CREATE TABLE `consent_records` (
	`consent_id` text NOT NULL,
	`patient_id` text NOT NULL,
	PRIMARY KEY(`consent_id`, `patient_id`),
	FOREIGN KEY (`consent_id`) REFERENCES `consents`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `consent_records_patient` ON `consent_records` (`patient_id`);--> statement-breakpoint
CREATE TABLE `consent_versions` (
	`consent_id` text NOT NULL,
	`version` integer NOT NULL,
	`artefact` text NOT NULL,
	`changed_by` text,
	`changed_at` integer NOT NULL,
	PRIMARY KEY(`consent_id`, `version`),
	FOREIGN KEY (`consent_id`) REFERENCES `consents`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `consents` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`status` text NOT NULL,
	`purpose` text NOT NULL,
	`kinds` text NOT NULL,
	`data_from` integer NOT NULL,
	`data_until` integer NOT NULL,
	`answer_until` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`erase_at` integer NOT NULL,
	`reason_sealed` text,
	`requested_by` text,
	`decided_by` text,
	`decided_at` integer,
	`ended_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`requested_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`decided_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `consents_hospital` ON `consents` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `consents_patient` ON `consents` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `consents_unanswered` ON `consents` (`answer_until`) WHERE status = 'requested';--> statement-breakpoint
CREATE INDEX `consents_granted` ON `consents` (`expires_at`) WHERE status = 'granted';