import { fileURLToPath } from "node:url";

/** A file that comes with the release, by its path from the root; modules of this room lie one folder below it, bundled or not. */
export function ownFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
