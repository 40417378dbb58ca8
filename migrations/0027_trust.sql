CREATE TABLE `access_log_reads` (
	`user_id` text PRIMARY KEY NOT NULL,
	`day` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `consent_documents` (
	`consent_id` text NOT NULL,
	`document_id` text NOT NULL,
	PRIMARY KEY(`consent_id`, `document_id`),
	FOREIGN KEY (`consent_id`) REFERENCES `consents`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`document_id`) REFERENCES `documents`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `consent_documents_document` ON `consent_documents` (`document_id`);--> statement-breakpoint
CREATE TABLE `consent_offers` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`code_hash` text NOT NULL,
	`patient_ids` text NOT NULL,
	`purpose` text NOT NULL,
	`kinds` text NOT NULL,
	`data_from` integer NOT NULL,
	`data_until` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`erase_at` integer NOT NULL,
	`valid_until` integer NOT NULL,
	`created_at` integer NOT NULL,
	`used_at` integer,
	`consent_id` text,
	`withdrawn_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`consent_id`) REFERENCES `consents`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `consent_offers_code` ON `consent_offers` (`code_hash`);--> statement-breakpoint
CREATE INDEX `consent_offers_user` ON `consent_offers` (`user_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `consent_offers_valid_until` ON `consent_offers` (`valid_until`);--> statement-breakpoint
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
	`practitioner_id` text,
	`documents_only` integer DEFAULT 0 NOT NULL,
	`requested_by` text,
	`decided_by` text,
	`decided_at` integer,
	`ended_at` integer,
	`erased_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`requested_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`decided_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `consents_hospital` ON `consents` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `consents_patient` ON `consents` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `consents_unanswered` ON `consents` (`answer_until`) WHERE status = 'requested';--> statement-breakpoint
CREATE INDEX `consents_granted` ON `consents` (`expires_at`) WHERE status = 'granted';--> statement-breakpoint
CREATE INDEX `consents_unerased` ON `consents` (`erase_at`) WHERE erased_at IS NULL;--> statement-breakpoint
CREATE TABLE `document_requests` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`consent_id` text NOT NULL,
	`asked_hospital_id` text,
	`status` text NOT NULL,
	`description_sealed` text NOT NULL,
	`type_code` text,
	`date_from` integer,
	`date_to` integer,
	`reason_sealed` text,
	`requested_by` text NOT NULL,
	`answered_by` text,
	`answered_at` integer,
	`ended_by` text,
	`ended_at` integer,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`consent_id`) REFERENCES `consents`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`asked_hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`requested_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`answered_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`ended_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `document_requests_consent` ON `document_requests` (`consent_id`);--> statement-breakpoint
CREATE INDEX `document_requests_hospital` ON `document_requests` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `document_requests_asked` ON `document_requests` (`asked_hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `document_requests_patient` ON `document_requests` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `document_requests_open` ON `document_requests` (`expires_at`) WHERE status IN ('requested', 'approved');--> statement-breakpoint
CREATE TABLE `emergency_accesses` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`user_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`record_hospital_id` text NOT NULL,
	`own_patient_id` text NOT NULL,
	`reason_sealed` text NOT NULL,
	`stepped_up` integer NOT NULL,
	`started_at` integer NOT NULL,
	`ends_at` integer NOT NULL,
	`ended_at` integer,
	`patient_notified_at` integer,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`record_hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`own_patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `emergency_accesses_user` ON `emergency_accesses` (`user_id`,`patient_id`,`ends_at`);--> statement-breakpoint
CREATE INDEX `emergency_accesses_user_started` ON `emergency_accesses` (`user_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `emergency_accesses_hospital` ON `emergency_accesses` (`hospital_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `emergency_accesses_record_hospital` ON `emergency_accesses` (`record_hospital_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `emergency_accesses_unnotified` ON `emergency_accesses` (`started_at`) WHERE patient_notified_at IS NULL;--> statement-breakpoint
CREATE TABLE `erasures` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`state` text NOT NULL,
	`reason_sealed` text,
	`requested_by` text NOT NULL,
	`requested_at` integer NOT NULL,
	`decided_by` text,
	`decided_at` integer,
	`decision_reason_sealed` text,
	`erase_on` integer,
	`started_at` integer,
	`erased_at` integer,
	`progress` text,
	`list_hash` text DEFAULT '' NOT NULL,
	`certificate` text,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `erasures_open` ON `erasures` (`patient_id`) WHERE state in ('requested', 'restricted', 'erasing');--> statement-breakpoint
CREATE INDEX `erasures_patient` ON `erasures` (`patient_id`,`requested_at`);--> statement-breakpoint
CREATE INDEX `erasures_hospital` ON `erasures` (`hospital_id`,`requested_at`);--> statement-breakpoint
CREATE INDEX `erasures_requested` ON `erasures` (`requested_at`);--> statement-breakpoint
CREATE INDEX `erasures_hospital_state` ON `erasures` (`hospital_id`,`state`,`requested_at`);--> statement-breakpoint
CREATE INDEX `erasures_state` ON `erasures` (`state`,`requested_at`);--> statement-breakpoint
CREATE INDEX `erasures_due` ON `erasures` (`erase_on`) WHERE state in ('restricted', 'erasing');--> statement-breakpoint
CREATE TABLE `guardian_codes` (
	`user_id` text PRIMARY KEY NOT NULL,
	`code_hash` text NOT NULL,
	`valid_until` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `guardian_codes_code` ON `guardian_codes` (`code_hash`);--> statement-breakpoint
CREATE INDEX `guardian_codes_valid_until` ON `guardian_codes` (`valid_until`);--> statement-breakpoint
CREATE TABLE `guardianships` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`guardian_id` text NOT NULL,
	`relationship` text NOT NULL,
	`reason_sealed` text NOT NULL,
	`valid_until` integer NOT NULL,
	`recorded_by` text NOT NULL,
	`recorded_at` integer NOT NULL,
	`confirmed_by` text,
	`confirmed_at` integer,
	`ended_by` text,
	`ended_at` integer,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`guardian_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `guardianships_patient` ON `guardianships` (`patient_id`,`recorded_at`);--> statement-breakpoint
CREATE INDEX `guardianships_guardian` ON `guardianships` (`guardian_id`,`recorded_at`);--> statement-breakpoint
CREATE TABLE `notice_delays` (
	`patient_id` text PRIMARY KEY NOT NULL,
	`reason_sealed` text NOT NULL,
	`until` integer NOT NULL,
	`set_by` text NOT NULL,
	`set_at` integer NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`set_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `patient_holds` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`reason_sealed` text NOT NULL,
	`set_by` text NOT NULL,
	`set_at` integer NOT NULL,
	`release_reason_sealed` text,
	`released_by` text,
	`released_at` integer,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `patient_holds_open` ON `patient_holds` (`patient_id`) WHERE released_at is null;--> statement-breakpoint
CREATE INDEX `patient_holds_patient` ON `patient_holds` (`patient_id`,`set_at`);--> statement-breakpoint
CREATE INDEX `patient_holds_hospital` ON `patient_holds` (`hospital_id`,`set_at`);--> statement-breakpoint
CREATE INDEX `patient_holds_set` ON `patient_holds` (`set_at`);--> statement-breakpoint
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
CREATE TABLE `replaced_files` (
	`file_key` text PRIMARY KEY NOT NULL,
	`replaced_at` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `replaced_files_time` ON `replaced_files` (`replaced_at`);--> statement-breakpoint
CREATE TABLE `resealing` (
	`store` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`key_since` integer NOT NULL,
	`phase` text NOT NULL,
	`cursor` text,
	`phase_started_at` integer NOT NULL,
	`remaining` text,
	`counted_at` integer,
	`counted` text NOT NULL,
	`unreadable` integer NOT NULL,
	`failed` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `retention_policies` (
	`hospital_id` text PRIMARY KEY NOT NULL,
	`policy` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`updated_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `hospitals` ADD `emergency_reach` text DEFAULT 'own_hospital' NOT NULL;--> statement-breakpoint
ALTER TABLE `memberships` ADD `privacy_officer` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `memberships_privacy_officer` ON `memberships` (`hospital_id`) WHERE privacy_officer = 1;--> statement-breakpoint
ALTER TABLE `patients` ADD `restricted_at` integer;--> statement-breakpoint
CREATE INDEX `patients_restricted` ON `patients` (`hospital_id`,`id`) WHERE restricted_at is not null;--> statement-breakpoint
ALTER TABLE `person_identifiers` ADD `patient_id` text;--> statement-breakpoint
CREATE INDEX `person_identifiers_uid` ON `person_identifiers` (`patient_uid`);--> statement-breakpoint
CREATE INDEX `person_identifiers_patient` ON `person_identifiers` (`patient_id`) WHERE patient_id is not null;--> statement-breakpoint
CREATE TRIGGER `changed_consent` AFTER UPDATE OF status, kinds, data_from, data_until, expires_at ON `consents` WHEN OLD.status = 'granted' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT p.hospital_id AS x FROM consent_records r JOIN patients p ON p.id = r.patient_id WHERE r.consent_id = NEW.id) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_practitioner` AFTER UPDATE OF user_id, active ON `practitioners` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT p.hospital_id AS x FROM consents c JOIN consent_records r ON r.consent_id = c.id JOIN patients p ON p.id = r.patient_id WHERE c.practitioner_id = NEW.id AND c.status = 'granted') WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
DROP TRIGGER `changed_patient`;
--> statement-breakpoint
CREATE TRIGGER `changed_patient` AFTER UPDATE OF ward_id, monitoring, active, restricted_at, identity_sealed, version, hospital_id ON `patients` WHEN NEW.version <> OLD.version OR substr(NEW.identity_sealed, 1, 3 + instr(substr(NEW.identity_sealed, 4), '.')) = substr(OLD.identity_sealed, 1, 3 + instr(substr(OLD.identity_sealed, 4), '.')) BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT NEW.id AS x) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT NEW.hospital_id AS x UNION SELECT OLD.hospital_id) WHERE x IS NOT NULL AND (NEW.monitoring <> 'off' OR OLD.monitoring <> 'off' OR NEW.hospital_id <> OLD.hospital_id OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = NEW.id)) ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
