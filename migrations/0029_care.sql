CREATE TABLE `activity_counts` (
	`hospital_id` text NOT NULL,
	`dimension` text NOT NULL,
	`key` text NOT NULL,
	`day` integer NOT NULL,
	`measure` text NOT NULL,
	`n` integer NOT NULL,
	`sum` real DEFAULT 0 NOT NULL,
	PRIMARY KEY(`hospital_id`, `dimension`, `key`, `day`, `measure`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `appointment_series` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`practitioner_id` text NOT NULL,
	`location_id` text,
	`rrule` text NOT NULL,
	`local_start` text NOT NULL,
	`zone` text NOT NULL,
	`duration_minutes` integer NOT NULL,
	`exdates` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `appointment_series_patient` ON `appointment_series` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `appointment_series_practitioner` ON `appointment_series` (`practitioner_id`,`created_at`) WHERE ended_at is null;--> statement-breakpoint
CREATE TABLE `appointments` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`practitioner_id` text NOT NULL,
	`location_id` text,
	`status` text NOT NULL,
	`holds` integer NOT NULL,
	`starts_at` integer NOT NULL,
	`ends_at` integer NOT NULL,
	`blocked_from` integer NOT NULL,
	`blocked_until` integer NOT NULL,
	`overbooked` integer DEFAULT 0 NOT NULL,
	`overbook_reason_sealed` text,
	`overbooked_by` text,
	`walk_in` integer DEFAULT 0 NOT NULL,
	`expires_at` integer,
	`reason_sealed` text,
	`notes_sealed` text,
	`series_id` text,
	`occurrence` text,
	`series_exception` integer DEFAULT 0 NOT NULL,
	`next_reminder_at` integer,
	`cancelled_by` text,
	`cancel_reason_sealed` text,
	`changed_from` integer,
	`booked_by` text NOT NULL,
	`booked_by_kind` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`series_id`) REFERENCES `appointment_series`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "appointments_times" CHECK(starts_at < ends_at AND blocked_from <= starts_at AND ends_at <= blocked_until),
	CONSTRAINT "appointments_length" CHECK(blocked_until - blocked_from <= 86400000),
	CONSTRAINT "appointments_holds" CHECK(holds = (walk_in = 0 AND status IN ('proposed', 'booked', 'arrived', 'fulfilled')))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `appointments_busy` ON `appointments` (`practitioner_id`,`blocked_from`,`blocked_until`,`status`,`expires_at`,`overbooked`) WHERE holds = 1;--> statement-breakpoint
CREATE INDEX `appointments_practitioner` ON `appointments` (`practitioner_id`,`starts_at`);--> statement-breakpoint
CREATE INDEX `appointments_patient` ON `appointments` (`patient_id`,`starts_at`);--> statement-breakpoint
CREATE INDEX `appointments_hospital` ON `appointments` (`hospital_id`,`starts_at`);--> statement-breakpoint
CREATE INDEX `appointments_location` ON `appointments` (`location_id`,`starts_at`) WHERE location_id is not null;--> statement-breakpoint
CREATE INDEX `appointments_reminder` ON `appointments` (`next_reminder_at`) WHERE next_reminder_at is not null;--> statement-breakpoint
CREATE INDEX `appointments_proposed` ON `appointments` (`expires_at`) WHERE status = 'proposed';--> statement-breakpoint
CREATE INDEX `appointments_noshow` ON `appointments` (`ends_at`) WHERE status = 'booked';--> statement-breakpoint
CREATE INDEX `appointments_series` ON `appointments` (`series_id`,`starts_at`) WHERE series_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `appointments_occurrence` ON `appointments` (`series_id`,`occurrence`) WHERE series_id is not null;--> statement-breakpoint
CREATE TABLE `calendar_feeds` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`token_hash` text NOT NULL,
	`owner_user_id` text NOT NULL,
	`practitioner_id` text,
	`patient_id` text,
	`location_id` text,
	`hospital_id` text,
	`created_at` integer NOT NULL,
	`revoked_at` integer,
	`last_read_day` integer,
	FOREIGN KEY (`owner_user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `calendar_feeds_token` ON `calendar_feeds` (`token_hash`);--> statement-breakpoint
CREATE INDEX `calendar_feeds_owner` ON `calendar_feeds` (`owner_user_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `calendar_feeds_patient` ON `calendar_feeds` (`patient_id`) WHERE patient_id is not null;--> statement-breakpoint
CREATE INDEX `calendar_feeds_location` ON `calendar_feeds` (`location_id`) WHERE location_id is not null;--> statement-breakpoint
CREATE INDEX `calendar_feeds_revoked` ON `calendar_feeds` (`revoked_at`) WHERE revoked_at is not null;--> statement-breakpoint
CREATE TABLE `care_settings` (
	`hospital_id` text PRIMARY KEY NOT NULL,
	`self_booking` text DEFAULT 'request' NOT NULL,
	`lead_minutes` integer DEFAULT 60 NOT NULL,
	`window_days` integer DEFAULT 60 NOT NULL,
	`cancel_until_minutes` integer DEFAULT 120 NOT NULL,
	`max_open_own` integer DEFAULT 5 NOT NULL,
	`proposal_minutes` integer DEFAULT 1440 NOT NULL,
	`offer_minutes` integer DEFAULT 30 NOT NULL,
	`noshow_after_minutes` integer DEFAULT 30,
	`video` integer DEFAULT 0 NOT NULL,
	`payments` integer DEFAULT 0 NOT NULL,
	`price_minor` integer,
	`currency` text,
	`updated_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `encounter_notes` (
	`id` text PRIMARY KEY NOT NULL,
	`encounter_id` text NOT NULL,
	`n` integer NOT NULL,
	`text_sealed` text NOT NULL,
	`author_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`encounter_id`) REFERENCES `encounters`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `encounter_notes_encounter` ON `encounter_notes` (`encounter_id`,`n`);--> statement-breakpoint
CREATE TABLE `encounters` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`doctor_id` text NOT NULL,
	`practitioner_id` text,
	`appointment_id` text,
	`status` text NOT NULL,
	`session_type` text NOT NULL,
	`chief_complaint_sealed` text,
	`started_at` integer NOT NULL,
	`paused_at` integer,
	`paused_ms` integer DEFAULT 0 NOT NULL,
	`ended_at` integer,
	`duration_s` integer,
	`end_reason_sealed` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`doctor_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`appointment_id`) REFERENCES `appointments`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `encounters_doctor` ON `encounters` (`doctor_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `encounters_patient` ON `encounters` (`patient_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `encounters_hospital` ON `encounters` (`hospital_id`,`started_at`);--> statement-breakpoint
CREATE UNIQUE INDEX `encounters_appointment` ON `encounters` (`appointment_id`) WHERE appointment_id is not null and status not in ('cancelled', 'entered-in-error');--> statement-breakpoint
CREATE UNIQUE INDEX `encounters_running` ON `encounters` (`doctor_id`,`patient_id`) WHERE status in ('in-progress', 'onleave');--> statement-breakpoint
CREATE TABLE `freed_slots` (
	`appointment_id` text NOT NULL,
	`from_at` integer NOT NULL,
	`until_at` integer NOT NULL,
	`practitioner_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`location_id` text,
	`freed_at` integer NOT NULL,
	PRIMARY KEY(`appointment_id`, `from_at`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `freed_slots_freed` ON `freed_slots` (`freed_at`);--> statement-breakpoint
CREATE TABLE `intake_links` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text,
	`token_hash` text NOT NULL,
	`form_sealed` text NOT NULL,
	`language` text NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`revoked_at` integer,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `intake_links_token` ON `intake_links` (`token_hash`);--> statement-breakpoint
CREATE INDEX `intake_links_hospital` ON `intake_links` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `intake_links_expiry` ON `intake_links` (`expires_at`);--> statement-breakpoint
CREATE INDEX `intake_links_patient` ON `intake_links` (`patient_id`) WHERE patient_id is not null;--> statement-breakpoint
CREATE TABLE `intake_submissions` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text,
	`link_id` text,
	`source` text NOT NULL,
	`state` text NOT NULL,
	`answers_sealed` text NOT NULL,
	`submitted_by` text,
	`submitted_at` integer NOT NULL,
	`reviewed_by` text,
	`reviewed_at` integer,
	`decision_sealed` text,
	`intake_id` text,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `intake_submissions_hospital` ON `intake_submissions` (`hospital_id`,`state`,`submitted_at`);--> statement-breakpoint
CREATE INDEX `intake_submissions_patient` ON `intake_submissions` (`patient_id`,`submitted_at`) WHERE patient_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `intake_submissions_link` ON `intake_submissions` (`link_id`) WHERE link_id is not null;--> statement-breakpoint
CREATE INDEX `intake_submissions_submitted` ON `intake_submissions` (`submitted_at`);--> statement-breakpoint
CREATE TABLE `locations` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`name` text NOT NULL,
	`address` text,
	`phone` text,
	`active` integer DEFAULT 1 NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `locations_name` ON `locations` (`hospital_id`,`name`);--> statement-breakpoint
CREATE INDEX `locations_hospital` ON `locations` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `merge_rows` (
	`merge_id` text NOT NULL,
	`table_name` text NOT NULL,
	`row_key` text NOT NULL,
	`how` text NOT NULL,
	PRIMARY KEY(`merge_id`, `table_name`, `row_key`),
	FOREIGN KEY (`merge_id`) REFERENCES `patient_merges`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `patient_merges` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`from_id` text NOT NULL,
	`into_id` text NOT NULL,
	`reason_sealed` text NOT NULL,
	`counts` text NOT NULL,
	`merged_by` text NOT NULL,
	`merged_at` integer NOT NULL,
	`undone_by` text,
	`undone_at` integer,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`from_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`into_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `patient_merges_from` ON `patient_merges` (`from_id`) WHERE undone_at is null;--> statement-breakpoint
CREATE INDEX `patient_merges_from_all` ON `patient_merges` (`from_id`,`merged_at`);--> statement-breakpoint
CREATE INDEX `patient_merges_into` ON `patient_merges` (`into_id`,`merged_at`);--> statement-breakpoint
CREATE INDEX `patient_merges_hospital` ON `patient_merges` (`hospital_id`,`merged_at`);--> statement-breakpoint
CREATE TABLE `payment_events` (
	`event_id` text PRIMARY KEY NOT NULL,
	`intent_id` text,
	`type` text NOT NULL,
	`received_at` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `payment_events_received` ON `payment_events` (`received_at`);--> statement-breakpoint
CREATE TABLE `payment_intents` (
	`id` text PRIMARY KEY NOT NULL,
	`appointment_id` text,
	`hospital_id` text NOT NULL,
	`patient_id` text,
	`amount_minor` integer NOT NULL,
	`currency` text NOT NULL,
	`status` text NOT NULL,
	`provider_ref` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`appointment_id`) REFERENCES `appointments`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `payment_intents_provider` ON `payment_intents` (`provider_ref`) WHERE provider_ref is not null;--> statement-breakpoint
CREATE INDEX `payment_intents_appointment` ON `payment_intents` (`appointment_id`,`created_at`) WHERE appointment_id is not null;--> statement-breakpoint
CREATE INDEX `payment_intents_patient` ON `payment_intents` (`patient_id`) WHERE patient_id is not null;--> statement-breakpoint
CREATE INDEX `payment_intents_hospital` ON `payment_intents` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `practitioner_calendars` (
	`owner_id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `queue_tokens` (
	`location_id` text NOT NULL,
	`day` text NOT NULL,
	`n` integer NOT NULL,
	`appointment_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`practitioner_id` text,
	`state` text NOT NULL,
	`room` text,
	`called_at` integer,
	`done_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	PRIMARY KEY(`location_id`, `day`, `n`),
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`appointment_id`) REFERENCES `appointments`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `queue_tokens_appointment` ON `queue_tokens` (`appointment_id`);--> statement-breakpoint
CREATE INDEX `queue_tokens_patient` ON `queue_tokens` (`patient_id`);--> statement-breakpoint
CREATE INDEX `queue_tokens_state` ON `queue_tokens` (`location_id`,`day`,`state`);--> statement-breakpoint
CREATE INDEX `queue_tokens_created` ON `queue_tokens` (`created_at`);--> statement-breakpoint
CREATE TABLE `record_exports` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`requested_by` text NOT NULL,
	`format` text NOT NULL,
	`language` text NOT NULL,
	`state` text NOT NULL,
	`progress` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`lease_until` integer,
	`file_key` text,
	`file_size` integer,
	`sha256` text,
	`reason` text,
	`expires_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `record_exports_file` ON `record_exports` (`file_key`) WHERE file_key is not null;--> statement-breakpoint
CREATE INDEX `record_exports_patient` ON `record_exports` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `record_exports_hospital` ON `record_exports` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `record_exports_open` ON `record_exports` (`lease_until`) WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX `record_exports_expiry` ON `record_exports` (`expires_at`) WHERE file_key is not null;--> statement-breakpoint
CREATE TABLE `report_drafts` (
	`report_id` text PRIMARY KEY NOT NULL,
	`base_version` integer NOT NULL,
	`content_sealed` text NOT NULL,
	`reason_sealed` text,
	`author_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`report_id`) REFERENCES `reports`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `report_versions` (
	`id` text PRIMARY KEY NOT NULL,
	`report_id` text NOT NULL,
	`n` integer NOT NULL,
	`status` text NOT NULL,
	`content_key` text,
	`content_size` integer NOT NULL,
	`sha256` text NOT NULL,
	`statement` text,
	`kid` text,
	`signature` text,
	`signed_by` text,
	`signed_at` integer,
	`released_by` text NOT NULL,
	`released_at` integer NOT NULL,
	`reason_sealed` text,
	FOREIGN KEY (`report_id`) REFERENCES `reports`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `report_versions_report` ON `report_versions` (`report_id`,`n`);--> statement-breakpoint
CREATE UNIQUE INDEX `report_versions_content` ON `report_versions` (`content_key`) WHERE content_key is not null;--> statement-breakpoint
CREATE TABLE `schedule_exceptions` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`practitioner_id` text,
	`location_id` text,
	`kind` text NOT NULL,
	`from_at` integer NOT NULL,
	`until_at` integer NOT NULL,
	`note_sealed` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `schedule_exceptions_practitioner` ON `schedule_exceptions` (`practitioner_id`,`until_at`);--> statement-breakpoint
CREATE INDEX `schedule_exceptions_hospital` ON `schedule_exceptions` (`hospital_id`,`until_at`) WHERE practitioner_id is null;--> statement-breakpoint
CREATE TABLE `schedules` (
	`id` text PRIMARY KEY NOT NULL,
	`practitioner_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`location_id` text,
	`weekly` text NOT NULL,
	`valid_from` text,
	`valid_until` text,
	`slot_minutes` integer DEFAULT 30 NOT NULL,
	`buffer_before` integer DEFAULT 0 NOT NULL,
	`buffer_after` integer DEFAULT 0 NOT NULL,
	`bookable_by` text DEFAULT 'patients' NOT NULL,
	`active` integer DEFAULT 1 NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `schedules_practitioner` ON `schedules` (`practitioner_id`,`active`);--> statement-breakpoint
CREATE INDEX `schedules_hospital` ON `schedules` (`hospital_id`,`active`);--> statement-breakpoint
CREATE TABLE `waiting_entries` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`practitioner_id` text,
	`location_id` text,
	`specialty` text,
	`from_at` integer NOT NULL,
	`until_at` integer NOT NULL,
	`duration_minutes` integer NOT NULL,
	`days` text NOT NULL,
	`state` text NOT NULL,
	`offered_appointment_id` text,
	`reason_sealed` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`location_id`) REFERENCES `locations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`offered_appointment_id`) REFERENCES `appointments`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `waiting_entries_hospital` ON `waiting_entries` (`hospital_id`,`state`,`created_at`);--> statement-breakpoint
CREATE INDEX `waiting_entries_patient` ON `waiting_entries` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `waiting_entries_offer` ON `waiting_entries` (`offered_appointment_id`) WHERE offered_appointment_id is not null;--> statement-breakpoint
ALTER TABLE `reports` ADD `content_type` text DEFAULT 'application/pdf' NOT NULL;--> statement-breakpoint
ALTER TABLE `reports` ADD `signer_id` text;--> statement-breakpoint
ALTER TABLE `reports` ADD `signed_version` integer;--> statement-breakpoint
CREATE INDEX `reports_to_sign` ON `reports` (`signer_id`,`created_at`) WHERE signer_id is not null and status in ('registered', 'preliminary');--> statement-breakpoint
CREATE INDEX `patients_merged` ON `patients` (`merged_into`) WHERE merged_into is not null;
--> statement-breakpoint
-- Two rows that hold a practitioner's time do not intersect, unless one is overbooked deliberately or is a proposal that has expired. Times are half-open. The probe looks back one day, the greatest length of a row.
CREATE TRIGGER `appointment_overlap_insert` BEFORE INSERT ON `appointments` WHEN NEW.holds = 1 AND NEW.overbooked = 0 BEGIN SELECT RAISE(ABORT, 'appointment_overlap') WHERE EXISTS (SELECT 1 FROM appointments a WHERE a.practitioner_id = NEW.practitioner_id AND a.holds = 1 AND a.blocked_from > NEW.blocked_from - 86400000 AND a.blocked_from < NEW.blocked_until AND a.blocked_until > NEW.blocked_from AND a.id <> NEW.id AND (a.status <> 'proposed' OR a.expires_at > NEW.updated_at)); END;
--> statement-breakpoint
CREATE TRIGGER `appointment_overlap_move` BEFORE UPDATE OF practitioner_id, blocked_from, blocked_until, holds, overbooked ON `appointments` WHEN NEW.holds = 1 AND NEW.overbooked = 0 AND (OLD.holds = 0 OR OLD.overbooked = 1 OR NEW.practitioner_id <> OLD.practitioner_id OR NEW.blocked_from < OLD.blocked_from OR NEW.blocked_until > OLD.blocked_until) BEGIN SELECT RAISE(ABORT, 'appointment_overlap') WHERE EXISTS (SELECT 1 FROM appointments a WHERE a.practitioner_id = NEW.practitioner_id AND a.holds = 1 AND a.blocked_from > NEW.blocked_from - 86400000 AND a.blocked_from < NEW.blocked_until AND a.blocked_until > NEW.blocked_from AND a.id <> NEW.id AND (a.status <> 'proposed' OR a.expires_at > NEW.updated_at)); END;
--> statement-breakpoint
-- A proposal that one clock judged expired may be confirmed by another clock after its time was given away.
CREATE TRIGGER `appointment_overlap_hold` BEFORE UPDATE OF status, expires_at ON `appointments` WHEN NEW.holds = 1 AND NEW.overbooked = 0 AND OLD.status = 'proposed' BEGIN SELECT RAISE(ABORT, 'appointment_overlap') WHERE EXISTS (SELECT 1 FROM appointments a WHERE a.practitioner_id = NEW.practitioner_id AND a.holds = 1 AND a.overbooked = 0 AND a.blocked_from > NEW.blocked_from - 86400000 AND a.blocked_from < NEW.blocked_until AND a.blocked_until > NEW.blocked_from AND a.id <> NEW.id AND (a.status <> 'proposed' OR a.expires_at > NEW.updated_at)); END;
--> statement-breakpoint
-- What an appointment gives up is offered to those who wait (care/appointments).
CREATE TRIGGER `appointment_freed` AFTER UPDATE OF holds, practitioner_id, starts_at, ends_at ON `appointments` WHEN OLD.holds = 1 AND OLD.starts_at > NEW.updated_at AND (NEW.holds = 0 OR NEW.practitioner_id <> OLD.practitioner_id OR NEW.starts_at <> OLD.starts_at OR NEW.ends_at <> OLD.ends_at) AND EXISTS (SELECT 1 FROM waiting_entries w WHERE w.hospital_id = OLD.hospital_id AND w.state = 'waiting') BEGIN INSERT INTO freed_slots (appointment_id, from_at, until_at, practitioner_id, hospital_id, location_id, freed_at) VALUES (OLD.id, OLD.starts_at, OLD.ends_at, OLD.practitioner_id, OLD.hospital_id, OLD.location_id, NEW.updated_at) ON CONFLICT (appointment_id, from_at) DO UPDATE SET until_at = excluded.until_at, freed_at = excluded.freed_at; END;
