// Why a test is skipped that reads published data from the folder beside the project.
export const absent = (name: string): string => `../shared/data/${name} is absent`;
