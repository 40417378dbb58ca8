// The skip reason of tests that read published data from the data folder beside the project.
export const absent = (name: string): string => `../shared/data/${name} is absent`;
