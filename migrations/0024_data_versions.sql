CREATE TABLE `data_versions` (
	`hospital_id` text PRIMARY KEY NOT NULL,
	`patients` text DEFAULT '' NOT NULL,
	`care_team` text DEFAULT '' NOT NULL,
	`reports` text DEFAULT '' NOT NULL,
	`wards` text DEFAULT '' NOT NULL,
	`practitioners` text DEFAULT '' NOT NULL,
	`staff` text DEFAULT '' NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO data_versions (hospital_id, patients, care_team, reports, wards, practitioners, staff)
SELECT id, hex(randomblob(8)), hex(randomblob(8)), hex(randomblob(8)), hex(randomblob(8)), hex(randomblob(8)), hex(randomblob(8)) FROM hospitals;
--> statement-breakpoint
-- A version changes in the transaction of every change of what a cached list shows (src/access/cached-read.ts).
CREATE TRIGGER `version_patients_insert` AFTER INSERT ON `patients` BEGIN INSERT INTO data_versions (hospital_id, patients) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET patients = excluded.patients; END;
--> statement-breakpoint
CREATE TRIGGER `version_patients_update` AFTER UPDATE ON `patients` BEGIN INSERT INTO data_versions (hospital_id, patients) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x UNION SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET patients = excluded.patients; END;
--> statement-breakpoint
CREATE TRIGGER `version_patients_delete` AFTER DELETE ON `patients` BEGIN INSERT INTO data_versions (hospital_id, patients) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET patients = excluded.patients; END;
--> statement-breakpoint
CREATE TRIGGER `version_care_team_insert` AFTER INSERT ON `care_team` BEGIN INSERT INTO data_versions (hospital_id, care_team) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT hospital_id AS x FROM patients WHERE id = NEW.patient_id) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET care_team = excluded.care_team; END;
--> statement-breakpoint
CREATE TRIGGER `version_care_team_update` AFTER UPDATE ON `care_team` BEGIN INSERT INTO data_versions (hospital_id, care_team) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT hospital_id AS x FROM patients WHERE id = NEW.patient_id UNION SELECT hospital_id AS x FROM patients WHERE id = OLD.patient_id) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET care_team = excluded.care_team; END;
--> statement-breakpoint
CREATE TRIGGER `version_care_team_delete` AFTER DELETE ON `care_team` BEGIN INSERT INTO data_versions (hospital_id, care_team) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT hospital_id AS x FROM patients WHERE id = OLD.patient_id) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET care_team = excluded.care_team; END;
--> statement-breakpoint
CREATE TRIGGER `version_reports_insert` AFTER INSERT ON `reports` BEGIN INSERT INTO data_versions (hospital_id, reports) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET reports = excluded.reports; END;
--> statement-breakpoint
CREATE TRIGGER `version_reports_update` AFTER UPDATE ON `reports` BEGIN INSERT INTO data_versions (hospital_id, reports) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x UNION SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET reports = excluded.reports; END;
--> statement-breakpoint
CREATE TRIGGER `version_reports_delete` AFTER DELETE ON `reports` BEGIN INSERT INTO data_versions (hospital_id, reports) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET reports = excluded.reports; END;
--> statement-breakpoint
CREATE TRIGGER `version_wards_insert` AFTER INSERT ON `wards` BEGIN INSERT INTO data_versions (hospital_id, wards) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET wards = excluded.wards; END;
--> statement-breakpoint
CREATE TRIGGER `version_wards_update` AFTER UPDATE ON `wards` BEGIN INSERT INTO data_versions (hospital_id, wards) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x UNION SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET wards = excluded.wards; END;
--> statement-breakpoint
CREATE TRIGGER `version_wards_delete` AFTER DELETE ON `wards` BEGIN INSERT INTO data_versions (hospital_id, wards) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET wards = excluded.wards; END;
--> statement-breakpoint
CREATE TRIGGER `version_practitioners_insert` AFTER INSERT ON `practitioners` BEGIN INSERT INTO data_versions (hospital_id, practitioners) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET practitioners = excluded.practitioners; END;
--> statement-breakpoint
CREATE TRIGGER `version_practitioners_update` AFTER UPDATE ON `practitioners` BEGIN INSERT INTO data_versions (hospital_id, practitioners) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x UNION SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET practitioners = excluded.practitioners; END;
--> statement-breakpoint
CREATE TRIGGER `version_practitioners_delete` AFTER DELETE ON `practitioners` BEGIN INSERT INTO data_versions (hospital_id, practitioners) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET practitioners = excluded.practitioners; END;
--> statement-breakpoint
CREATE TRIGGER `version_memberships_insert` AFTER INSERT ON `memberships` BEGIN INSERT INTO data_versions (hospital_id, staff) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET staff = excluded.staff; END;
--> statement-breakpoint
CREATE TRIGGER `version_memberships_update` AFTER UPDATE ON `memberships` BEGIN INSERT INTO data_versions (hospital_id, staff) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.hospital_id AS x UNION SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET staff = excluded.staff; END;
--> statement-breakpoint
CREATE TRIGGER `version_memberships_delete` AFTER DELETE ON `memberships` BEGIN INSERT INTO data_versions (hospital_id, staff) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT OLD.hospital_id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET staff = excluded.staff; END;
--> statement-breakpoint
CREATE TRIGGER `version_users_update` AFTER UPDATE OF profile_sealed, active ON `users` BEGIN INSERT INTO data_versions (hospital_id, staff) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT hospital_id AS x FROM memberships WHERE user_id = NEW.id) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET staff = excluded.staff; END;
--> statement-breakpoint
CREATE TRIGGER `version_hospitals_update` AFTER UPDATE OF name, active ON `hospitals` BEGIN INSERT INTO data_versions (hospital_id, practitioners) SELECT DISTINCT x, hex(randomblob(8)) FROM (SELECT NEW.id AS x) WHERE x IS NOT NULL ON CONFLICT (hospital_id) DO UPDATE SET practitioners = excluded.practitioners; END;
