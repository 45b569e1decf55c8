import { CollectError } from "#engine";

/** Reads YAML that stands inside an object; what is wrong with it is a gap, never the end of a run. */
export async function innerYaml(text: string, what: string): Promise<unknown> {
  const { DocumentError, parseDocuments } = await import("../clients/documents/index.ts");
  try {
    return parseDocuments(text, what, "kubernetes")[0]?.value;
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    throw new CollectError(`${what} is no YAML: ${error.message}`, { remedy: error.remedy });
  }
}
