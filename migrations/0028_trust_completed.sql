ALTER TABLE `erasures` ADD `failures` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `erasures` ADD `failure` text;--> statement-breakpoint
ALTER TABLE `erasures` ADD `retry_at` integer;--> statement-breakpoint
CREATE INDEX `erasures_ended` ON `erasures` (`erased_at`,`id`) WHERE state = 'erased';--> statement-breakpoint
ALTER TABLE `guardianships` ADD `ground` text DEFAULT 'cannot_decide' NOT NULL;--> statement-breakpoint
ALTER TABLE `guardianships` ADD `end_reason_sealed` text;--> statement-breakpoint
CREATE INDEX `guardianships_open` ON `guardianships` (`valid_until`) WHERE ended_at is null;--> statement-breakpoint
ALTER TABLE `replaced_files` ADD `record_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `replaced_files_record` ON `replaced_files` (`record_id`);--> statement-breakpoint
CREATE INDEX `document_requests_hospital_status` ON `document_requests` (`hospital_id`,`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `document_requests_asked_status` ON `document_requests` (`asked_hospital_id`,`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `document_requests_status` ON `document_requests` (`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `document_requests_created` ON `document_requests` (`created_at`);--> statement-breakpoint
CREATE INDEX `emergency_accesses_unnotified_patient` ON `emergency_accesses` (`patient_id`) WHERE patient_notified_at IS NULL;--> statement-breakpoint
CREATE INDEX `emergency_accesses_unnotified_own` ON `emergency_accesses` (`own_patient_id`) WHERE patient_notified_at IS NULL;
--> statement-breakpoint
DROP TRIGGER `changed_hospital`;
--> statement-breakpoint
CREATE TRIGGER `changed_hospital` AFTER UPDATE OF active, doctor_scope, emergency_reach ON `hospitals` WHEN NEW.active <> OLD.active OR NEW.doctor_scope <> OLD.doctor_scope OR NEW.emergency_reach <> OLD.emergency_reach BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT NEW.id AS x) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE hospital_id = NEW.id AND NEW.active <> OLD.active AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_emergency` AFTER UPDATE OF ended_at, ends_at ON `emergency_accesses` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT NEW.record_hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_person` AFTER UPDATE OF patient_uid, uid_basis ON `patients` WHEN OLD.uid_basis = 'staff' AND (NEW.patient_uid IS NOT OLD.patient_uid OR NEW.uid_basis IS NOT OLD.uid_basis) BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT NEW.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_emergency_insert` AFTER INSERT ON `emergency_accesses` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT NEW.record_hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_emergency_delete` AFTER DELETE ON `emergency_accesses` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'feed:' || x, 'feed', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT OLD.record_hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
