/** A validator that `npm run generate` compiled ahead from the schema of the same name. */
declare module "*.generated.js" {
  export const schemaSha256: string;
  const validate: unknown;
  export default validate;
}
