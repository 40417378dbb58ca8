// What the build makes of all messages of one language.
declare module "virtual:messages/*" {
  const messages: import("./catalogues.ts").Catalogue;
  export default messages;
}
