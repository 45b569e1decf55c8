import type { Plugins } from "../discover.ts";
import { ownFile } from "../own.ts";
import { loadAssertions, withKinds, type LoadedAssertions } from "./assertions.ts";

const SUITE = "assertions/suite.yaml";

/**
 * The built-in suite. The release build puts a module with the same face in this one's place, which holds what this one gives for the
 * built-in kinds: what was read and checked when it was built is not read and checked by every run.
 */
export async function loadSuite(plugins: Plugins): Promise<LoadedAssertions> {
  const { assertions } = await loadAssertions([ownFile(SUITE)], plugins, { cwd: ".", home: "/", untrusted: false });
  return withKinds(assertions.map((assertion) => ({ ...assertion, at: { ...assertion.at, file: `built-in ${SUITE}` } })), plugins);
}
