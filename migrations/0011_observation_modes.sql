-- How patients are watched, per ward and per patient, when NEWS2 alarms sound, and alerts without a sound. The trigger queues changes for
-- the objects of the ward's patients (model: 0004_changes.sql); the triggers of `monitoring_settings` cover its new column.
ALTER TABLE `alerts` ADD `sounds` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `monitoring_settings` ADD `observation_mode` text;--> statement-breakpoint
ALTER TABLE `wards` ADD `observation_mode` text DEFAULT 'auto' NOT NULL;--> statement-breakpoint
ALTER TABLE `wards` ADD `observation_grace_minutes` integer DEFAULT 15 NOT NULL;--> statement-breakpoint
ALTER TABLE `wards` ADD `news2_profile` text DEFAULT 'rcp' NOT NULL;--> statement-breakpoint
ALTER TABLE `wards` ADD `news2_profile_reason_sealed` text;--> statement-breakpoint
ALTER TABLE `wards` ADD `news2_profile_by` text;--> statement-breakpoint
ALTER TABLE `wards` ADD `news2_profile_at` integer;
--> statement-breakpoint
CREATE TRIGGER `changed_ward` AFTER UPDATE OF observation_mode, observation_grace_minutes, news2_profile ON `wards` WHEN NEW.observation_mode <> OLD.observation_mode OR NEW.observation_grace_minutes <> OLD.observation_grace_minutes OR NEW.news2_profile <> OLD.news2_profile BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE ward_id = NEW.id) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
