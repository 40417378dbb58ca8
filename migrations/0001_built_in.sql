-- The organisation of people who register themselves, and a trail that only grows.
INSERT INTO `hospitals` (`id`, `name`, `created_at`, `updated_at`) VALUES ('00000000-0000-7000-8000-000000000001', 'self-care', 0, 0);
--> statement-breakpoint
CREATE TRIGGER `audit_events_keep` BEFORE UPDATE ON `audit_events` BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_events_once` BEFORE INSERT ON `audit_events` WHEN EXISTS (SELECT 1 FROM `audit_events` WHERE `seq` = NEW.`seq`) BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_subjects_keep` BEFORE UPDATE ON `audit_subjects` BEGIN SELECT RAISE(ABORT, 'audit_subjects is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_subjects_stay` BEFORE DELETE ON `audit_subjects` BEGIN SELECT RAISE(ABORT, 'audit_subjects is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_events_stay` BEFORE DELETE ON `audit_events` BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
