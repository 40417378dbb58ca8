CREATE TABLE `intake_responses` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`answers_sealed` text NOT NULL,
	`authored_by` text NOT NULL,
	`authored_at` integer NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `intake_responses_patient` ON `intake_responses` (`patient_id`,`authored_at`);--> statement-breakpoint
CREATE TABLE `invitations` (
	`id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`hospital_id` text NOT NULL,
	`role` text NOT NULL,
	`email_index` text NOT NULL,
	`invitee_sealed` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`accepted_at` integer,
	`accepted_by` text,
	`revoked_at` integer,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `invitations_token` ON `invitations` (`token_hash`);--> statement-breakpoint
CREATE INDEX `invitations_hospital` ON `invitations` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `password_resets` (
	`token_hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `password_resets_user` ON `password_resets` (`user_id`);--> statement-breakpoint
CREATE INDEX `password_resets_expiry` ON `password_resets` (`expires_at`);--> statement-breakpoint
CREATE TABLE `person_identifiers` (
	`key_id` text NOT NULL,
	`mac` text NOT NULL,
	`patient_uid` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`key_id`, `mac`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `practitioners` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`specialty` text,
	`details_sealed` text NOT NULL,
	`active` integer DEFAULT 1 NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `practitioners_user` ON `practitioners` (`user_id`,`hospital_id`);--> statement-breakpoint
CREATE INDEX `practitioners_hospital` ON `practitioners` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `practitioners_specialty` ON `practitioners` (`hospital_id`,`specialty`,`created_at`) WHERE specialty is not null;--> statement-breakpoint
ALTER TABLE `audit_events` ADD `actor_hospital_id` text;--> statement-breakpoint
CREATE INDEX `audit_events_abroad` ON `audit_events` (`actor_hospital_id`,`recorded_at`) WHERE actor_hospital_id is not null;--> statement-breakpoint
ALTER TABLE `hospitals` ADD `time_zone` text DEFAULT 'UTC' NOT NULL;--> statement-breakpoint
ALTER TABLE `hospitals` ADD `phone` text;--> statement-breakpoint
ALTER TABLE `hospitals` ADD `email` text;--> statement-breakpoint
ALTER TABLE `hospitals` ADD `address` text;--> statement-breakpoint
ALTER TABLE `memberships` ADD `suspended_at` integer;--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `used_by` text;--> statement-breakpoint
CREATE INDEX `patient_claim_codes_patient` ON `patient_claim_codes` (`patient_id`);--> statement-breakpoint
ALTER TABLE `patients` ADD `uid_basis` text;--> statement-breakpoint
CREATE INDEX `patients_hospital_created` ON `patients` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `patients_created` ON `patients` (`created_at`);--> statement-breakpoint
CREATE INDEX `patients_doctor` ON `patients` (`assigned_doctor_id`,`patient_number`) WHERE assigned_doctor_id is not null;--> statement-breakpoint
CREATE INDEX `patients_inactive` ON `patients` (`hospital_id`,`patient_number`) WHERE active = 0;--> statement-breakpoint
CREATE INDEX `patients_inactive_number` ON `patients` (`patient_number`) WHERE active = 0;--> statement-breakpoint
ALTER TABLE `uploads` ADD `incoming_key` text;--> statement-breakpoint
ALTER TABLE `uploads` ADD `expires_at` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_incoming` ON `uploads` (`incoming_key`) WHERE incoming_key is not null;--> statement-breakpoint
ALTER TABLE `users` ADD `password_given` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `users_created` ON `users` (`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_effective` ON `reports` (`hospital_id`,`effective_at`);--> statement-breakpoint
CREATE INDEX `reports_effective` ON `reports` (`effective_at`);--> statement-breakpoint
CREATE INDEX `reports_uploader` ON `reports` (`uploaded_by`,`created_at`);