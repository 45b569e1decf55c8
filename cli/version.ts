import manifest from "../package.json" with { type: "json" };

/** The release, as its package says. */
export const version: string = manifest.version;
