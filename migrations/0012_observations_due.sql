-- Whether an overdue set of observations raises an alert, per ward. The trigger of 0011_observation_modes.sql queues this change too.
ALTER TABLE `wards` ADD `overdue_alarm` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
DROP TRIGGER `changed_ward`;
--> statement-breakpoint
CREATE TRIGGER `changed_ward` AFTER UPDATE OF observation_mode, observation_grace_minutes, news2_profile, overdue_alarm ON `wards` WHEN NEW.observation_mode <> OLD.observation_mode OR NEW.observation_grace_minutes <> OLD.observation_grace_minutes OR NEW.news2_profile <> OLD.news2_profile OR NEW.overdue_alarm <> OLD.overdue_alarm BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE ward_id = NEW.id) WHERE x IS NOT NULL ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
