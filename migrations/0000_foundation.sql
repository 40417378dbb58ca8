CREATE TABLE `audit_events` (
	`seq` integer PRIMARY KEY NOT NULL,
	`recorded_at` integer NOT NULL,
	`action` text NOT NULL,
	`event` text NOT NULL,
	`outcome` text NOT NULL,
	`reason` text,
	`actor_kind` text NOT NULL,
	`actor_id` text,
	`actor_role` text,
	`hospital_id` text,
	`basis` text,
	`purpose` text,
	`entity_type` text,
	`entity_id` text,
	`request_id` text NOT NULL,
	`ip` text,
	`detail` text,
	`mac` text
) STRICT;
--> statement-breakpoint
CREATE INDEX `audit_events_recorded` ON `audit_events` (`recorded_at`);--> statement-breakpoint
CREATE INDEX `audit_events_hospital` ON `audit_events` (`hospital_id`,`recorded_at`);--> statement-breakpoint
CREATE INDEX `audit_events_actor` ON `audit_events` (`actor_id`,`recorded_at`);--> statement-breakpoint
CREATE INDEX `audit_events_event` ON `audit_events` (`event`,`hospital_id`,`recorded_at`);--> statement-breakpoint
CREATE INDEX `audit_events_refused` ON `audit_events` (`outcome`,`hospital_id`,`recorded_at`) WHERE outcome <> 'success';--> statement-breakpoint
CREATE TABLE `audit_subjects` (
	`patient_id` text NOT NULL,
	`seq` integer NOT NULL,
	PRIMARY KEY(`patient_id`, `seq`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `care_team` (
	`patient_id` text NOT NULL,
	`user_id` text NOT NULL,
	`added_by` text NOT NULL,
	`started_at` integer NOT NULL,
	`ended_at` integer,
	PRIMARY KEY(`patient_id`, `user_id`),
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `care_team_user` ON `care_team` (`user_id`,`patient_id`);--> statement-breakpoint
CREATE TABLE `counters` (
	`scope` text NOT NULL,
	`day` integer NOT NULL,
	`name` text NOT NULL,
	`n` integer NOT NULL,
	`sum` real DEFAULT 0 NOT NULL,
	PRIMARY KEY(`scope`, `day`, `name`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `credentials` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`device_id` text,
	`hospital_id` text NOT NULL,
	`name` text NOT NULL,
	`secret_hash` text NOT NULL,
	`scopes` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer,
	FOREIGN KEY (`device_id`) REFERENCES `devices`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `credentials_device` ON `credentials` (`device_id`);--> statement-breakpoint
CREATE INDEX `credentials_hospital` ON `credentials` (`hospital_id`);--> statement-breakpoint
CREATE TABLE `deployment` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `device_assignments` (
	`id` text PRIMARY KEY NOT NULL,
	`device_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`started_at` integer NOT NULL,
	`ended_at` integer,
	`created_by` text NOT NULL,
	FOREIGN KEY (`device_id`) REFERENCES `devices`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `device_assignments_open` ON `device_assignments` (`device_id`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `device_assignments_device` ON `device_assignments` (`device_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `device_assignments_patient` ON `device_assignments` (`patient_id`);--> statement-breakpoint
CREATE TABLE `devices` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`manufacturer` text,
	`model` text,
	`serial_number` text,
	`active` integer DEFAULT 1 NOT NULL,
	`clock_skew_ms` integer,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `devices_hospital` ON `devices` (`hospital_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `devices_serial` ON `devices` (`hospital_id`,`serial_number`) WHERE serial_number is not null;--> statement-breakpoint
CREATE TABLE `hospitals` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`active` integer DEFAULT 1 NOT NULL,
	`doctor_scope` text DEFAULT 'care_team' NOT NULL,
	`demo` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `hospitals_demo` ON `hospitals` (`demo`) WHERE demo = 1;--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`scope` text NOT NULL,
	`key_hash` text NOT NULL,
	`body_hash` text NOT NULL,
	`status` integer NOT NULL,
	`resource_id` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`scope`, `key_hash`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `idempotency_keys_created` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `login_attempts` (
	`subject` text NOT NULL,
	`id` text NOT NULL,
	`state` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`subject`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `login_attempts_expiry` ON `login_attempts` (`expires_at`);--> statement-breakpoint
CREATE TABLE `memberships` (
	`user_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`role` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	PRIMARY KEY(`user_id`, `hospital_id`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `memberships_hospital` ON `memberships` (`hospital_id`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` text PRIMARY KEY NOT NULL,
	`topic` text NOT NULL,
	`payload` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	`done_at` integer
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `outbox_due` ON `outbox` (`due_at`) WHERE done_at is null;--> statement-breakpoint
CREATE TABLE `patient_claim_codes` (
	`code_hash` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `patient_claim_codes_expiry` ON `patient_claim_codes` (`expires_at`);--> statement-breakpoint
CREATE TABLE `patient_links` (
	`user_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`method` text NOT NULL,
	`verified_by` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `patient_id`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `patient_links_patient` ON `patient_links` (`patient_id`);--> statement-breakpoint
CREATE TABLE `patient_tokens` (
	`hospital_id` text NOT NULL,
	`token` text NOT NULL,
	`patient_id` text NOT NULL,
	PRIMARY KEY(`hospital_id`, `token`, `patient_id`),
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `patient_tokens_patient` ON `patient_tokens` (`patient_id`);--> statement-breakpoint
CREATE TABLE `patients` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_number` integer NOT NULL,
	`hospital_id` text NOT NULL,
	`ward_id` text,
	`monitoring` text DEFAULT 'off' NOT NULL,
	`patient_uid` text,
	`identity_sealed` text NOT NULL,
	`clinical_sealed` text NOT NULL,
	`assigned_doctor_id` text,
	`active` integer DEFAULT 1 NOT NULL,
	`merged_into` text,
	`demo` integer DEFAULT 0 NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`ward_id`) REFERENCES `wards`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`assigned_doctor_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `patients_number` ON `patients` (`patient_number`);--> statement-breakpoint
CREATE INDEX `patients_hospital_number` ON `patients` (`hospital_id`,`patient_number`);--> statement-breakpoint
CREATE INDEX `patients_hospital_updated` ON `patients` (`hospital_id`,`updated_at`);--> statement-breakpoint
CREATE INDEX `patients_updated` ON `patients` (`updated_at`);--> statement-breakpoint
CREATE INDEX `patients_monitoring` ON `patients` (`monitoring`,`hospital_id`,`patient_number`) WHERE monitoring <> 'off';--> statement-breakpoint
CREATE INDEX `patients_ward` ON `patients` (`ward_id`) WHERE ward_id is not null;--> statement-breakpoint
CREATE INDEX `patients_uid` ON `patients` (`patient_uid`) WHERE patient_uid is not null;--> statement-breakpoint
CREATE INDEX `patients_demo` ON `patients` (`demo`) WHERE demo = 1;--> statement-breakpoint
CREATE TABLE `reports` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`uploaded_by_kind` text NOT NULL,
	`uploaded_by` text NOT NULL,
	`encounter_id` text,
	`session_type` text,
	`confidence` real,
	`heart_rate` real,
	`effective_at` integer NOT NULL,
	`file_key` text NOT NULL,
	`file_name_sealed` text NOT NULL,
	`file_size` integer NOT NULL,
	`sha256` text NOT NULL,
	`metrics_key` text,
	`metrics_size` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `reports_same_file` ON `reports` (`sha256`,`patient_id`);--> statement-breakpoint
CREATE INDEX `reports_created` ON `reports` (`created_at`);--> statement-breakpoint
CREATE INDEX `reports_kind` ON `reports` (`kind`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_status` ON `reports` (`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_patient` ON `reports` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital` ON `reports` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_kind` ON `reports` (`hospital_id`,`kind`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_status` ON `reports` (`hospital_id`,`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_rate` ON `reports` (`hospital_id`,`heart_rate`) WHERE heart_rate is not null;--> statement-breakpoint
CREATE INDEX `reports_session` ON `reports` (`session_type`,`hospital_id`,`created_at`) WHERE session_type is not null;--> statement-breakpoint
CREATE INDEX `reports_rate` ON `reports` (`heart_rate`) WHERE heart_rate is not null;--> statement-breakpoint
CREATE INDEX `reports_encounter` ON `reports` (`encounter_id`) WHERE encounter_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `reports_file_key` ON `reports` (`file_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `reports_metrics_key` ON `reports` (`metrics_key`) WHERE metrics_key is not null;--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`hospital_id` text,
	`generation` integer DEFAULT 1 NOT NULL,
	`rotated_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`idle_expires_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	`revoked_reason` text,
	`client_sealed` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_id` text NOT NULL,
	`hospital_id` text,
	`patient_id` text,
	`report_id` text,
	`kind` text,
	`outcome` text NOT NULL,
	`reason` text,
	`detail_sealed` text,
	`file_key` text,
	`file_size` integer,
	`sha256` text,
	`request_id` text NOT NULL,
	`created_at` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `uploads_hospital` ON `uploads` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `uploads_created` ON `uploads` (`created_at`);--> statement-breakpoint
CREATE INDEX `uploads_outcome` ON `uploads` (`outcome`,`hospital_id`,`created_at`);--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_file_key` ON `uploads` (`file_key`) WHERE file_key is not null;--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`email_index` text NOT NULL,
	`username_index` text,
	`profile_sealed` text NOT NULL,
	`password_hash` text NOT NULL,
	`password_changed_at` integer NOT NULL,
	`is_admin` integer DEFAULT 0 NOT NULL,
	`active` integer DEFAULT 1 NOT NULL,
	`demo` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email` ON `users` (`email_index`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_username` ON `users` (`username_index`);--> statement-breakpoint
CREATE INDEX `users_admin` ON `users` (`is_admin`) WHERE is_admin = 1;--> statement-breakpoint
CREATE INDEX `users_demo` ON `users` (`demo`) WHERE demo = 1;--> statement-breakpoint
CREATE TABLE `wards` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`name` text NOT NULL,
	`active` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `wards_name` ON `wards` (`hospital_id`,`name`);