-- Credentials of patients' own devices belong to people who are linked to the record: others, such as those of people who were unlinked
-- or deactivated before, end.
UPDATE `credentials` SET `revoked_at` = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE `revoked_at` IS NULL AND `device_id` IN (SELECT `id` FROM `devices` WHERE `owner_patient_id` IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM `devices` d JOIN `patient_links` l ON l.`patient_id` = d.`owner_patient_id`
    JOIN `users` u ON u.`id` = l.`user_id` AND u.`active` = 1
    WHERE d.`id` = `credentials`.`device_id` AND l.`user_id` = `credentials`.`created_by`);
