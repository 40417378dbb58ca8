// Names the pages of a record that another hospital shares: the parameters of their routes.

/** `patientId`: the own record of the person. `recordId`: the record at the other hospital. */
export type SharedPlace = { patientId: string; consentId: string; recordId: string };
