-- Whether a ward shows the trend mark, and who chose it, when and why. The trigger of 0012_observations_due.sql queues this change too.
ALTER TABLE `wards` ADD `trend_mark` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `wards` ADD `trend_mark_reason_sealed` text;--> statement-breakpoint
ALTER TABLE `wards` ADD `trend_mark_by` text;--> statement-breakpoint
ALTER TABLE `wards` ADD `trend_mark_at` integer;
--> statement-breakpoint
DROP TRIGGER `changed_ward`;
--> statement-breakpoint
CREATE TRIGGER `changed_ward` AFTER UPDATE OF observation_mode, observation_grace_minutes, news2_profile, overdue_alarm, trend_mark ON `wards` WHEN NEW.observation_mode <> OLD.observation_mode OR NEW.observation_grace_minutes <> OLD.observation_grace_minutes OR NEW.news2_profile <> OLD.news2_profile OR NEW.overdue_alarm <> OLD.overdue_alarm OR NEW.trend_mark <> OLD.trend_mark BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE ward_id = NEW.id) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
